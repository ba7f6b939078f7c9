-- Events that ask for something in another execution's stream, until that has been seen to. A row points to the event
-- that asks; moved by the append like due_steps. claimed_until: a worker has it in hand until then; it is no fact.
create table outbox (
  source uuid not null,
  version bigint not null,
  recipient uuid not null,
  due_at timestamptz not null default now(),
  claimed_until timestamptz,
  primary key (source, version)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index outbox_due_idx on outbox (due_at, source, version);
-- Whether one to the same recipient comes first.
create index outbox_order_idx on outbox (source, recipient, version);

-- Executions of processes that limit how many run at once: those that wait, in the order they came, and those that run.
create table admissions (
  execution_id uuid primary key,
  process_id uuid not null,
  position bigserial not null,
  running bool not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index admissions_waiting_idx on admissions (process_id, position) where not running;
create index admissions_running_idx on admissions (process_id) where running;

-- How many executions an execution without a parent has brought about, at any depth.
create table families (
  root uuid primary key,
  descendants int not null
) with (fillfactor = 70);

drop function append_events(
  uuid[], bigint[], text[], bytea[], uuid[], bigint[], uuid[], text[], uuid[], text[], int[], uuid[],
  text[], bytea[], bytea[], int[], uuid[], text[], text[], uuid[], text[], text[], timestamptz[]);

-- taken_away: attempts ended that a worker has in hand and did not end itself; the notification then says `gone`.
-- As in 0003, and it moves messages, admissions and the counts of families too. A message that is to be removed and is
-- not there has been handled by somebody else, or was never sent: PR001. One that its worker may see to at once is not
-- in hand as long as an older one to the same recipient is with somebody else. The notification says as well whether a
-- message waits for a worker (`message`), because it is new or because none is before it any more, and whether somebody
-- may have to be let in (`room`).
create function append_events(
  streams uuid[], versions bigint[], topics text[], states bytea[],
  guard_streams uuid[], guard_versions bigint[],
  done_executions uuid[], done_steps text[],
  next_executions uuid[], next_steps text[], next_attempts int[], next_owners uuid[],
  keys text[], fingerprints bytea[], answers bytea[], key_ordinals int[],
  dropped_executions uuid[], dropped_steps text[], dropped_kinds text[],
  timer_executions uuid[], timer_steps text[], timer_kinds text[], timer_dues timestamptz[],
  handled_sources uuid[], handled_versions bigint[],
  message_sources uuid[], message_versions bigint[], message_recipients uuid[], message_claimed bool[],
  left_executions uuid[],
  place_executions uuid[], place_processes uuid[], place_running bool[],
  family_roots uuid[], family_additions int[],
  taken_away boolean
) returns bigint language plpgsql as $$
declare
  last bigint;
  earliest timestamptz;
  removed bigint;
  uncovered bool;
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
  if cardinality(message_sources) > 0 then
    insert into outbox (source, version, recipient, claimed_until)
      select m.source, m.version, m.recipient, case when m.claimed and not exists (
        select from outbox o where o.source = m.source and o.recipient = m.recipient and o.version < m.version
      ) then now() + interval '3 seconds' end
      from unnest(message_sources, message_versions, message_recipients, message_claimed) as m(source, version, recipient, claimed);
  end if;
  if cardinality(left_executions) > 0 then
    delete from admissions a using unnest(left_executions) as x(execution_id) where a.execution_id = x.execution_id;
  end if;
  if cardinality(place_executions) > 0 then
    insert into admissions (execution_id, process_id, running)
      select * from unnest(place_executions, place_processes, place_running)
      on conflict (execution_id) do update set running = excluded.running;
  end if;
  if cardinality(family_roots) > 0 then
    insert into families (root, descendants)
      select * from unnest(family_roots, family_additions)
      on conflict (root) do update set descendants = families.descendants + excluded.descendants;
  end if;
  if cardinality(keys) > 0 then
    insert into idempotency_keys (key, fingerprint, answer, position)
      select k, f, a, last - cardinality(streams) + o
      from unnest(keys, fingerprints, answers, key_ordinals) as x(k, f, a, o);
  end if;
  perform pg_notify('procession_log', concat_ws(' ',
    case when array_position(next_owners, null) is null then null else 'due' end,
    'timer:' || extract(epoch from earliest),
    case when uncovered or array_position(message_claimed, false) is not null then 'message' end,
    case when cardinality(left_executions) > 0 or array_position(place_running, false) is not null then 'room' end,
    case when taken_away then 'gone' end));
  return last;
end $$;
