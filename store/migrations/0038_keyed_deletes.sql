-- Lists are empty at times. When PostgreSQL analyses one then, it takes it for empty for a while, however many rows come.
-- For a join with such a table it may walk the whole list for each key, under the log's lock. So no statement here joins a
-- list: the first column of its key comes from an array, which only an index serves, and `is true` keeps the whole key a
-- look-up in a hash table instead of a join.
create or replace function move_due_steps_v1(
  appended bigint, done_executions uuid[], done_steps text[], next_executions uuid[], next_steps text[],
  next_attempts int[], next_owners uuid[], gone bool
) returns text language plpgsql as $$
begin
  if cardinality(done_executions) > 0 then
    delete from due_steps d where d.execution_id = any(done_executions)
      and ((d.execution_id, d.step) in (select * from unnest(done_executions, done_steps))) is true;
  end if;
  if cardinality(next_executions) > 0 then
    insert into due_steps (execution_id, step, attempt, owner)
      select * from unnest(next_executions, next_steps, next_attempts, next_owners)
      on conflict (execution_id, step) do update set attempt = excluded.attempt, owner = excluded.owner, due_at = excluded.due_at;
  end if;
  return concat_ws(' ', case when array_position(next_owners, null) is not null then 'due' end, case when gone then 'gone' end);
end $$;

create or replace function move_due_steps_v2(
  appended bigint, done_executions uuid[], done_steps text[], next_executions uuid[], next_steps text[],
  next_attempts int[], next_owners uuid[], next_agents text[], next_processes uuid[], gone bool
) returns text language plpgsql as $$
begin
  if cardinality(done_executions) > 0 then
    delete from due_steps d where d.execution_id = any(done_executions)
      and ((d.execution_id, d.step) in (select * from unnest(done_executions, done_steps))) is true;
  end if;
  if cardinality(next_executions) > 0 then
    insert into due_steps (execution_id, step, attempt, owner, agent, process_id)
      select * from unnest(next_executions, next_steps, next_attempts, next_owners, next_agents, next_processes)
      on conflict (execution_id, step) do update set attempt = excluded.attempt, owner = excluded.owner,
        due_at = excluded.due_at, agent = excluded.agent, process_id = excluded.process_id;
  end if;
  return concat_ws(' ', case when array_position(next_owners, null) is not null then 'due' end, case when gone then 'gone' end);
end $$;

create or replace function move_due_timers_v1(
  appended bigint, dropped_executions uuid[], dropped_steps text[], dropped_kinds text[],
  set_executions uuid[], set_steps text[], set_kinds text[], set_dues timestamptz[]
) returns text language plpgsql as $$
begin
  if cardinality(dropped_executions) > 0 then
    delete from due_timers d where d.execution_id = any(dropped_executions) and (
      (d.execution_id, d.step, d.kind) in (select * from unnest(dropped_executions, dropped_steps, dropped_kinds))) is true;
  end if;
  if cardinality(set_executions) = 0 then
    return null;
  end if;
  insert into due_timers (execution_id, step, kind, due_at)
    select * from unnest(set_executions, set_steps, set_kinds, set_dues)
    on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null;
  return (select 'timer:' || extract(epoch from min(due)) from unnest(set_dues) as due);
end $$;

create or replace function move_outbox_v1(
  appended bigint, handled_sources uuid[], handled_versions bigint[],
  sent_sources uuid[], sent_versions bigint[], sent_recipients uuid[], sent_claimed bool[]
) returns text language plpgsql as $$
declare
  removed bigint;
  uncovered bool;
begin
  if cardinality(handled_sources) > 0 then
    with gone as (
      delete from outbox o where o.source = any(handled_sources)
        and ((o.source, o.version) in (select * from unnest(handled_sources, handled_versions))) is true
      returning o.source, o.version, o.recipient)
    select count(*), bool_or(exists (
      select from outbox o where o.source = gone.source and o.recipient = gone.recipient and o.version > gone.version
        and o.claimed_until is null)) into removed, uncovered from gone;
    if removed <> cardinality(handled_sources) then
      raise exception 'a message this decision answers is not there' using errcode = 'PR001';
    end if;
  end if;
  if cardinality(sent_sources) > 0 then
    insert into outbox (source, version, recipient, claimed_until)
      select m.source, m.version, m.recipient, case when m.claimed and not exists (
        select from outbox o where o.source = m.source and o.recipient = m.recipient and o.version < m.version
      ) then now() + interval '3 seconds' end
      from unnest(sent_sources, sent_versions, sent_recipients, sent_claimed) as m(source, version, recipient, claimed);
  end if;
  return case when uncovered or array_position(sent_claimed, false) is not null then 'message' end;
end $$;

create or replace function move_slots_v1(
  appended bigint, left_executions uuid[], placed_executions uuid[], placed_processes uuid[], placed_running bool[]
) returns text language plpgsql as $$
begin
  if cardinality(left_executions) > 0 then
    delete from admissions where execution_id = any(left_executions);
  end if;
  if cardinality(placed_executions) > 0 then
    insert into admissions (execution_id, process_id, running)
      select * from unnest(placed_executions, placed_processes, placed_running)
      on conflict (execution_id) do update set running = excluded.running;
  end if;
  return case when cardinality(left_executions) > 0 or array_position(placed_running, false) is not null then 'room' end;
end $$;

create or replace function move_due_schedules_v1(
  appended bigint, registered uuid[], processes uuid[], calendars text[], removed uuid[], moved uuid[], dues timestamptz[]
) returns text language plpgsql as $$
begin
  if cardinality(registered) > 0 then
    -- The names of a schedule's calendars come in one text, a line each.
    insert into due_schedules (schedule_id, process_id, calendars)
      select x.id, x.process, string_to_array(x.names, e'\n')
      from unnest(registered, processes, calendars) as x(id, process, names)
      on conflict (schedule_id) do update set calendars = excluded.calendars;
  end if;
  if cardinality(moved) > 0 then
    update due_schedules d set due_at = dues[array_position(moved, d.schedule_id)], claimed_until = null
      where d.schedule_id = any(moved);
  end if;
  if cardinality(removed) > 0 then
    delete from due_schedules where schedule_id = any(removed);
  end if;
  return (select 'schedule:' || extract(epoch from min(due)) from unnest(dues) as due);
end $$;
