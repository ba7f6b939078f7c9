-- The log. Columns, names and indexes are those of eventsourcing's Postgres recorders, so that the library reads what we write.
create table stored_events (
  originator_id uuid not null,
  originator_version bigint not null,
  topic text not null,
  state bytea not null,
  notification_id bigserial,
  primary key (originator_id, originator_version)
) with (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
create unique index stored_events_notification_id_idx on stored_events (notification_id);

create table notification_tracking (
  application_name text primary key,
  notification_id bigint
) with (fillfactor = 50);

-- Work that is due, moved by the same transaction that appends the events. owner: the worker that has the attempt.
create table due_steps (
  execution_id uuid not null,
  step text not null,
  attempt int not null,
  due_at timestamptz not null default now(),
  owner uuid,
  primary key (execution_id, step)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index due_steps_unowned_idx on due_steps (due_at) where owner is null;
create index due_steps_owner_idx on due_steps (owner) where owner is not null;

-- Workers that live: whoever does not renew in time has lost its steps.
create table workers (
  worker_id uuid primary key,
  host text not null,
  pid int not null,
  started_at timestamptz not null default now(),
  lease_until timestamptz not null
);

-- First answers of commands that carried an Idempotency-Key. position: that of the command's last event.
create table idempotency_keys (
  key text primary key,
  fingerprint bytea not null,
  answer bytea not null,
  position bigint not null,
  at timestamptz not null default now()
);
create index idempotency_keys_at_idx on idempotency_keys (at);

-- Events a projection could not digest; the others went on.
create table dead_letters (
  projection text not null,
  position bigint not null,
  error text not null,
  at timestamptz not null default now(),
  primary key (projection, position)
);

-- Keys the installation made for itself, such as the one that signs callback tokens.
create table installation_keys (
  name text primary key,
  value bytea not null
);

-- Appends many streams' events, moves the to-do list, remembers answers and notifies, in one round trip.
-- The advisory lock makes the order of positions the order of commits: whoever has read position n has missed nothing below it.
-- Unlike a table lock it does not conflict with vacuum. 4711 is the log's lock.
create function append_events(
  streams uuid[], versions bigint[], topics text[], states bytea[],
  guard_streams uuid[], guard_versions bigint[],
  done_executions uuid[], done_steps text[],
  next_executions uuid[], next_steps text[], next_attempts int[], next_owners uuid[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
declare
  last bigint;
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
  if cardinality(keys) > 0 then
    insert into idempotency_keys (key, fingerprint, answer, position)
      select k, f, a, last - cardinality(streams) + o
      from unnest(keys, fingerprints, answers, key_ordinals) as x(k, f, a, o);
  end if;
  -- The payload says whether there is work that no worker has taken yet.
  perform pg_notify('procession_log', case when array_position(next_owners, null) is null then '' else 'due' end);
  return last;
end $$;
