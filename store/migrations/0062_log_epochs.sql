-- The epochs of the log: a failover, or a restore, may lose the last events, and gives their positions to others. Each
-- server that is promoted, and each other server, begins one. begins_at: the end of the log at that moment; a position of
-- an earlier epoch beyond it is of a lost event. system_identifier, timeline: of the server; '' and 0 where it does not
-- state them.
create table log_epochs (
  number int primary key,
  epoch_id text not null unique,
  system_identifier text not null,
  timeline bigint not null,
  begins_at bigint not null,
  begun_at timestamptz not null default now()
);

-- Begins an epoch on this server unless the newest one is its own, under the log's lock (4711).
create function begin_epoch_v1(identifier text, line bigint) returns void language plpgsql as $$
declare
  newest log_epochs;
begin
  -- Without this row another server begins an epoch as well, and no connection may wait for a standby.
  perform set_config('synchronous_commit', 'local', true);
  perform pg_advisory_xact_lock(4711);
  select * into newest from log_epochs order by number desc limit 1;
  if newest.number is null or (newest.system_identifier, newest.timeline) <> (identifier, line) then
    insert into log_epochs (number, epoch_id, system_identifier, timeline, begins_at)
    values (
      coalesce(newest.number, 0) + 1, left(replace(gen_random_uuid()::text, '-', ''), 12), identifier, line,
      (select coalesce(max(notification_id), 0) from stored_events));
  end if;
end $$;

-- As append_events_v2, on the server and in the epoch of which the caller has read the log. SQLSTATE PR004: another server
-- has taken over, so that an event of the expected version may be another event. line: the timeline of the server that the
-- caller has connected to, in hexadecimal. epoch: checked where the server states no timeline. Null: no check.
create function append_events_v3(
  epoch text, line text,
  streams uuid[], versions bigint[], topics text[], states bytea[],
  base_streams uuid[], base_versions bigint[],
  guard_streams uuid[], guard_versions bigint[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
declare
  last bigint;
begin
  perform pg_advisory_xact_lock(4711);
  -- A server does not change its timeline while it runs: where it states one, that says as much as the newest row.
  if line is not null then
    if line <> left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) then
      raise exception 'another server has taken over since the connection was opened' using errcode = 'PR004';
    end if;
  elsif epoch <> (select e.epoch_id from log_epochs e order by e.number desc limit 1) then
    raise exception 'the decision rests on an epoch of the log that is over' using errcode = 'PR004';
  end if;
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

do $$
begin
  perform begin_epoch_v1(
    (select system_identifier::text from pg_control_system()),
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint);
exception when insufficient_privilege or undefined_function or feature_not_supported then
  perform begin_epoch_v1('', 0);
end $$;
