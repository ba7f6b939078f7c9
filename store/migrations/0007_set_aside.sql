-- Executions about which no decision succeeds: what failed, since when, how often, and when a worker tries again. Until
-- then the rows of the execution in due_steps, due_timers and outbox are postponed, so claims need no query of this table.
create table set_aside (
  execution_id uuid primary key,
  error text not null,
  since timestamptz not null default now(),
  tries int not null default 1,
  next_try timestamptz not null
);
create index set_aside_since_idx on set_aside (since, execution_id);
create index set_aside_next_try_idx on set_aside (next_try);

-- Sets an execution aside, or notes one more failure of it; returns when it is tried again: after 5 s, then twice as long
-- each time, an hour at most. A failure before that time counts as the same one. Postpones the rows that no worker has,
-- and those of `worker`, other than the steps that it has open.
create function set_aside_v1(execution uuid, failure text, worker uuid, open_steps text[]) returns timestamptz
language plpgsql as $$
declare
  again timestamptz;
begin
  insert into set_aside as s (execution_id, error, next_try) values (execution, failure, now() + interval '5 seconds')
    on conflict (execution_id) do update set
      error = excluded.error,
      tries = case when s.next_try <= now() then s.tries + 1 else s.tries end,
      next_try = case when s.next_try <= now()
        then now() + least(interval '1 hour', interval '5 seconds' * power(2, least(s.tries, 10))) else s.next_try end
    returning next_try into again;
  update due_steps set owner = null, due_at = again
    where execution_id = execution and due_at < again and (owner is null or owner = worker and step <> all(open_steps));
  update due_timers set claimed_until = again where execution_id = execution and due_at < again;
  return again;
end $$;

-- Takes executions off the list of those set aside, and makes their postponed rows due; returns which were on it.
create function take_back_v1(executions uuid[]) returns uuid[] language plpgsql as $$
declare
  back uuid[];
begin
  with gone as (delete from set_aside where execution_id = any(executions) returning execution_id)
    select array_agg(execution_id) into back from gone;
  if back is not null then
    update due_steps set due_at = now() where execution_id = any(back) and owner is null and due_at > now();
    update due_timers set claimed_until = null where execution_id = any(back) and claimed_until > now();
    update outbox set claimed_until = null where recipient = any(back) and claimed_until > now();
  end if;
  return back;
end $$;

-- As append_events_v1, and refuses a stream whose event before its first new one is missing. SQLSTATE PR002: an event that
-- the decision rests on is missing, as after a failover that lost events: a process may have it in memory. base_streams, base_versions: those events. A
-- stream that gets events is no longer set aside.
create function append_events_v2(
  streams uuid[], versions bigint[], topics text[], states bytea[],
  base_streams uuid[], base_versions bigint[],
  guard_streams uuid[], guard_versions bigint[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
declare
  last bigint;
begin
  perform pg_advisory_xact_lock(4711);
  if cardinality(base_streams) > 0 and exists (
    select from unnest(base_streams, base_versions) as b(stream, version)
    where not exists (
      select from stored_events e where e.originator_id = b.stream and e.originator_version = b.version)
  ) then
    raise exception 'a stream has no event of the version before the first new one' using errcode = 'PR002';
  end if;
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
      raise exception 'a stream this decision rests on has no event of the version that it rests on' using errcode = 'PR002';
    end if;
  end if;
  if cardinality(streams) > 0 then
    insert into stored_events (originator_id, originator_version, topic, state)
      select * from unnest(streams, versions, topics, states);
    last := currval('stored_events_notification_id_seq');
    if exists (select from set_aside) then
      perform take_back_v1(streams);
    end if;
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
