-- What is due at a time of its own: waiting steps, timeouts, retries, heartbeats. Moved by the append like due_steps.
-- claimed_until: a worker has it in hand until then; it is no fact and may be lost.
create table due_timers (
  execution_id uuid not null,
  step text not null,
  kind text not null,
  due_at timestamptz not null,
  claimed_until timestamptz,
  primary key (execution_id, step, kind)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index due_timers_due_idx on due_timers (due_at);

drop function append_events(
  uuid[], bigint[], text[], bytea[], uuid[], bigint[], uuid[], text[], uuid[], text[], int[], uuid[],
  text[], bytea[], bytea[], int[]);

-- As in 0001, and it moves timers too. The notification says whether work waits for a worker (`due`) and when the
-- earliest timer set here is due (`timer:` and seconds since 1970).
create function append_events(
  streams uuid[], versions bigint[], topics text[], states bytea[],
  guard_streams uuid[], guard_versions bigint[],
  done_executions uuid[], done_steps text[],
  next_executions uuid[], next_steps text[], next_attempts int[], next_owners uuid[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[],
  dropped_executions uuid[], dropped_steps text[], dropped_kinds text[],
  timer_executions uuid[], timer_steps text[], timer_kinds text[], timer_dues timestamptz[]
) returns bigint language plpgsql as $$
declare
  last bigint;
  earliest timestamptz;
begin
  perform pg_advisory_xact_lock(4711);
  if cardinality(guard_streams) > 0 and exists (
    select from unnest(guard_streams, guard_versions) as g(stream, version)
    where exists (select from stored_events e where e.originator_id = g.stream and e.originator_version = g.version + 1)
  ) then
    raise exception 'a stream this decision rests on has moved on' using errcode = 'PR001';
  end if;
  if cardinality(streams) > 0 then
    insert into stored_events (originator_id, originator_version, topic, state)
      select * from unnest(streams, versions, topics, states);
    last := currval('stored_events_notification_id_seq');
  else
    select coalesce(max(notification_id), 0) into last from stored_events;
  end if;
  if cardinality(done_executions) > 0 then
    delete from due_steps d using unnest(done_executions, done_steps) as x(execution_id, step)
      where d.execution_id = x.execution_id and d.step = x.step;
  end if;
  if cardinality(next_executions) > 0 then
    insert into due_steps (execution_id, step, attempt, owner)
      select * from unnest(next_executions, next_steps, next_attempts, next_owners)
      on conflict (execution_id, step) do update set attempt = excluded.attempt, owner = excluded.owner, due_at = excluded.due_at;
  end if;
  if cardinality(dropped_executions) > 0 then
    delete from due_timers d using unnest(dropped_executions, dropped_steps, dropped_kinds) as x(execution_id, step, kind)
      where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind;
  end if;
  if cardinality(timer_executions) > 0 then
    insert into due_timers (execution_id, step, kind, due_at)
      select * from unnest(timer_executions, timer_steps, timer_kinds, timer_dues)
      on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null;
    select min(due) into earliest from unnest(timer_dues) as due;
  end if;
  if cardinality(keys) > 0 then
    insert into idempotency_keys (key, fingerprint, answer, position)
      select k, f, a, last - cardinality(streams) + o
      from unnest(keys, fingerprints, answers, key_ordinals) as x(k, f, a, o);
  end if;
  perform pg_notify('procession_log', concat_ws(' ',
    case when array_position(next_owners, null) is null then null else 'due' end,
    'timer:' || extract(epoch from earliest)));
  return last;
end $$;
