-- When each schedule is due next; the append moves it by the events of schedules. due_at is null where nothing is
-- expected any more. calendars: those that its rule uses. claimed_until: a worker decides on it until then; it is no
-- fact and may be lost.
create table due_schedules (
  schedule_id uuid primary key,
  process_id uuid not null,
  calendars text[] not null default '{}',
  due_at timestamptz,
  claimed_until timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index due_schedules_due_idx on due_schedules (due_at) where due_at is not null;
create index due_schedules_process_idx on due_schedules (process_id);
create index due_schedules_calendars_idx on due_schedules using gin (calendars);

create function move_due_schedules_v1(
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
    update due_schedules d set due_at = x.due_at, claimed_until = null
      from unnest(moved, dues) as x(schedule_id, due_at) where d.schedule_id = x.schedule_id;
  end if;
  if cardinality(removed) > 0 then
    delete from due_schedules where schedule_id = any(removed);
  end if;
  return (select 'schedule:' || extract(epoch from min(due)) from unnest(dues) as due);
end $$;

-- There are few calendars in a large log.
create index stored_events_calendars_idx on stored_events (originator_id) where topic = 'CalendarDefined';
