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

-- As append_events_v2, in the epoch of which the caller has read the log. SQLSTATE PR003: the log is in another one, so
-- that an event of the expected version may be another event; or the server has another timeline than the caller
-- connected to. line: that timeline in hexadecimal. Null: no check.
create function append_events_v3(
  epoch text, line text,
  streams uuid[], versions bigint[], topics text[], states bytea[],
  base_streams uuid[], base_versions bigint[],
  guard_streams uuid[], guard_versions bigint[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[]
) returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock(4711);
  if epoch <> (select e.epoch_id from log_epochs e order by e.number desc limit 1)
    or line is not null and line <> left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
  then
    raise exception 'the decision rests on an epoch of the log that is over' using errcode = 'PR003';
  end if;
  return append_events_v2(
    streams, versions, topics, states, base_streams, base_versions, guard_streams, guard_versions,
    keys, fingerprints, answers, key_ordinals);
end $$;

do $$
begin
  perform begin_epoch_v1(
    (select system_identifier::text from pg_control_system()),
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint);
exception when insufficient_privilege or undefined_function or feature_not_supported then
  perform begin_epoch_v1('', 0);
end $$;
