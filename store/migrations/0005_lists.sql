-- The append is one function, and each list that appends keep has one of its own. One statement calls append_events_v1
-- and then the functions of those lists that have something to move (store/recorder.py builds it). append_events of 0004
-- stays as it is: workers of the release before call it until they are replaced.

-- Appends many streams' events and remembers answers; returns the position of the last event.
-- Takes the log's lock (4711), as append_events does, so the order of positions is the order of commits.
-- SQLSTATE PR001: a stream that a guard names is not at the version that the guard states. A version in use is a unique
-- violation on stored_events, a key in use one on idempotency_keys.
create function append_events_v1(
  streams uuid[], versions bigint[], topics text[], states bytea[],
  guard_streams uuid[], guard_versions bigint[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
declare
  last bigint;
begin
  perform pg_advisory_xact_lock(4711);
  if cardinality(guard_streams) > 0 then
    if exists (
      select from unnest(guard_streams, guard_versions) as g(stream, version)
      where exists (select from stored_events e where e.originator_id = g.stream and e.originator_version = g.version + 1)
    ) then
      raise exception 'a stream this decision rests on has moved on' using errcode = 'PR001';
    end if;
    if exists (
      select from unnest(guard_streams, guard_versions) as g(stream, version)
      where g.version > 0 and not exists (
        select from stored_events e where e.originator_id = g.stream and e.originator_version = g.version)
    ) then
      raise exception 'a stream this decision rests on has no event of the version that it rests on' using errcode = 'PR001';
    end if;
  end if;
  if cardinality(streams) > 0 then
    insert into stored_events (originator_id, originator_version, topic, state)
      select * from unnest(streams, versions, topics, states);
    last := currval('stored_events_notification_id_seq');
  else
    select coalesce(max(notification_id), 0) into last from stored_events;
  end if;
  if cardinality(keys) > 0 then
    insert into idempotency_keys (key, fingerprint, answer, position)
      select k, f, a, last - cardinality(streams) + o
      from unnest(keys, fingerprints, answers, key_ordinals) as x(k, f, a, o);
  end if;
  return last;
end $$;

-- The functions of the lists have these in common: the first argument is the position that append_events_v1 returned, so
-- that they run after it and under its lock; they return the words of the notification on procession_log, or null.

-- Words: `due`, an attempt waits for a worker; `gone`, attempts ended that a worker has and did not end itself.
create function move_due_steps_v1(
  appended bigint,
  done_executions uuid[], done_steps text[],
  next_executions uuid[], next_steps text[], next_attempts int[], next_owners uuid[],
  gone boolean
) returns text language plpgsql as $$
begin
  if cardinality(done_executions) > 0 then
    delete from due_steps d using unnest(done_executions, done_steps) as x(execution_id, step)
      where d.execution_id = x.execution_id and d.step = x.step;
  end if;
  if cardinality(next_executions) > 0 then
    insert into due_steps (execution_id, step, attempt, owner)
      select * from unnest(next_executions, next_steps, next_attempts, next_owners)
      on conflict (execution_id, step) do update set attempt = excluded.attempt, owner = excluded.owner, due_at = excluded.due_at;
  end if;
  return concat_ws(' ', case when array_position(next_owners, null) is not null then 'due' end, case when gone then 'gone' end);
end $$;

-- Word: `timer:` and when the earliest timer set here is due, in seconds since 1970.
create function move_due_timers_v1(
  appended bigint,
  dropped_executions uuid[], dropped_steps text[], dropped_kinds text[],
  set_executions uuid[], set_steps text[], set_kinds text[], set_dues timestamptz[]
) returns text language plpgsql as $$
begin
  if cardinality(dropped_executions) > 0 then
    delete from due_timers d using unnest(dropped_executions, dropped_steps, dropped_kinds) as x(execution_id, step, kind)
      where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind;
  end if;
  if cardinality(set_executions) = 0 then
    return null;
  end if;
  insert into due_timers (execution_id, step, kind, due_at)
    select * from unnest(set_executions, set_steps, set_kinds, set_dues)
    on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null;
  return (select 'timer:' || extract(epoch from min(due)) from unnest(set_dues) as due);
end $$;

-- A message that is to be removed and is not there was handled by another append, or was never sent: PR001. A message
-- that its worker handles at once is not claimed while an older one to the same recipient is on the list.
-- Word: `message`, a message waits for a worker, because it is new or because none is before it any more.
create function move_outbox_v1(
  appended bigint,
  handled_sources uuid[], handled_versions bigint[],
  sent_sources uuid[], sent_versions bigint[], sent_recipients uuid[], sent_claimed bool[]
) returns text language plpgsql as $$
declare
  removed bigint;
  uncovered bool;
begin
  if cardinality(handled_sources) > 0 then
    with gone as (
      delete from outbox o using unnest(handled_sources, handled_versions) as x(source, version)
      where o.source = x.source and o.version = x.version returning o.source, o.version, o.recipient)
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

-- Word: `room`, an execution may have to be admitted: a slot is free, or one more execution waits.
create function move_slots_v1(
  appended bigint,
  left_executions uuid[],
  placed_executions uuid[], placed_processes uuid[], placed_running bool[]
) returns text language plpgsql as $$
begin
  if cardinality(left_executions) > 0 then
    delete from admissions a using unnest(left_executions) as x(execution_id) where a.execution_id = x.execution_id;
  end if;
  if cardinality(placed_executions) > 0 then
    insert into admissions (execution_id, process_id, running)
      select * from unnest(placed_executions, placed_processes, placed_running)
      on conflict (execution_id) do update set running = excluded.running;
  end if;
  return case when cardinality(left_executions) > 0 or array_position(placed_running, false) is not null then 'room' end;
end $$;

-- No word: a larger tree is no work.
create function move_trees_v1(appended bigint, roots uuid[], additions int[]) returns text language plpgsql as $$
begin
  insert into families (root, descendants)
    select * from unnest(roots, additions)
    on conflict (root) do update set descendants = families.descendants + excluded.descendants;
  return null;
end $$;
