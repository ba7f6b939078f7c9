-- Arrays become rows where they are inserted. `from unnest(a, b)` keeps all rows in a store of its own before the first one
-- is used; `select unnest(a), unnest(b)` hands on one after the other, and a row costs the server less.
-- The functions do what they did, for this release and for the one before.

-- The lock is taken by an expression, as a statement for it costs more. Any file name of the log that the server writes
-- begins with its timeline, and the name of a fixed place does not need the present one.
create or replace function append_events_v3(
  epoch text, line text,
  streams uuid[], versions bigint[], topics text[], states bytea[],
  base_streams uuid[], base_versions bigint[],
  guard_streams uuid[], guard_versions bigint[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
declare
  locked text := pg_advisory_xact_lock(4711);
  last bigint;
begin
  -- A server does not change its timeline while it runs: where it states one, that says as much as the newest row.
  if line is not null then
    if not starts_with(pg_walfile_name('0/1'), line) then
      raise exception 'another server has taken over since the connection was opened' using errcode = 'PR004';
    end if;
  elsif epoch <> (select e.epoch_id from log_epochs e order by e.number desc limit 1) then
    raise exception 'the decision rests on an epoch of the log that is over' using errcode = 'PR004';
  end if;
  if cardinality(base_streams) > 0 and exists (
    select from (select unnest(base_streams) as stream, unnest(base_versions) as version) as b
    where not exists (
      select from stored_events e where e.originator_id = b.stream and e.originator_version = b.version)
  ) then
    raise exception 'a stream has no event of the version before the first new one' using errcode = 'PR002';
  end if;
  if cardinality(guard_streams) > 0 then
    if exists (
      select from (select unnest(guard_streams) as stream, unnest(guard_versions) as version) as g
      where exists (select from stored_events e where e.originator_id = g.stream and e.originator_version = g.version + 1)
    ) then
      raise exception 'a stream this decision rests on has moved on' using errcode = 'PR001';
    end if;
    if exists (
      select from (select unnest(guard_streams) as stream, unnest(guard_versions) as version) as g
      where g.version > 0 and not exists (
        select from stored_events e where e.originator_id = g.stream and e.originator_version = g.version)
    ) then
      raise exception 'a stream this decision rests on has no event of the version that it rests on' using errcode = 'PR002';
    end if;
  end if;
  if cardinality(streams) > 0 then
    insert into stored_events (originator_id, originator_version, topic, state)
      select unnest(streams), unnest(versions), unnest(topics), unnest(states);
    last := currval('stored_events_notification_id_seq');
    if exists (select from set_aside) then
      perform take_back_v1(streams);
    end if;
  else
    select coalesce(max(notification_id), 0) into last from stored_events;
  end if;
  if cardinality(keys) > 0 then
    insert into idempotency_keys (key, fingerprint, answer, position)
      select unnest(keys), unnest(fingerprints), unnest(answers), last - cardinality(streams) + unnest(key_ordinals);
  end if;
  return last;
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
      select unnest(next_executions), unnest(next_steps), unnest(next_attempts), unnest(next_owners),
        unnest(next_agents), unnest(next_processes)
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
    select unnest(set_executions), unnest(set_steps), unnest(set_kinds), unnest(set_dues)
    on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null;
  return (select 'timer:' || extract(epoch from min(due)) from unnest(set_dues) as due);
end $$;

create or replace function move_slots_v2(
  appended bigint, left_executions uuid[], placed_executions uuid[], placed_processes uuid[], placed_keys text[],
  placed_ranks timestamptz[], placed_called bool[], placed_running bool[],
  limited_processes uuid[], limited_keys text[], limits int[]
) returns text language plpgsql as $$
begin
  if cardinality(left_executions) > 0 then
    delete from admissions where execution_id = any(left_executions);
  end if;
  if cardinality(placed_executions) > 0 then
    insert into admissions (execution_id, process_id, key, rank, called, running)
      select unnest(placed_executions), unnest(placed_processes), unnest(placed_keys), unnest(placed_ranks),
        unnest(placed_called), unnest(placed_running)
      on conflict (execution_id) do update set running = excluded.running;
  end if;
  if cardinality(limits) > 0 and exists (
    select from unnest(limited_processes, limited_keys, limits) as x(process_id, key, most)
    where (select l.running from slot_lines l where l.process_id = x.process_id and l.key = x.key) > x.most
  ) then
    raise exception 'no slot is free any more for an execution that would begin' using errcode = 'PR003';
  end if;
  return case when cardinality(left_executions) > 0 or array_position(placed_running, false) is not null then 'room' end;
end $$;

create or replace function move_trees_v1(appended bigint, roots uuid[], additions int[]) returns text language plpgsql as $$
begin
  insert into families (root, descendants)
    select unnest(roots), unnest(additions)
    on conflict (root) do update set descendants = families.descendants + excluded.descendants;
  return null;
end $$;
