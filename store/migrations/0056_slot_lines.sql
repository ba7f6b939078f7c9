-- The line that an execution waits in is that of its process and its key, in the order of its rank; one that another
-- execution called does not wait for the end of a pause. What the release before puts into a line has the key of all.
alter table admissions
  add column key text not null default '',
  add column rank timestamptz not null default now(),
  add column called bool not null default false;
update admissions a set rank = coalesce(
    (select (convert_from(e.state, 'UTF8')::json ->> 'at')::timestamptz from stored_events e
     where e.originator_id = a.execution_id and e.originator_version = 2 and e.topic = 'ExecutionQueued'), a.rank)
  where not a.running;
drop index admissions_waiting_idx;
create index admissions_waiting_idx on admissions (process_id, key, rank, position) where not running;
create index admissions_called_idx on admissions (process_id, key, rank, position) where not running and called;

-- Each line with how many executions run and wait in it, so that a worker finds those with a free slot among many.
-- called: of those that wait, the called ones.
create table slot_lines (
  process_id uuid not null,
  key text not null,
  running int not null,
  waiting int not null,
  called int not null,
  primary key (process_id, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index slot_lines_waiting_idx on slot_lines (process_id, running) where waiting > 0;
create index slot_lines_called_idx on slot_lines (process_id, running) where called > 0;
insert into slot_lines
  select process_id, key, count(*) filter (where running), count(*) filter (where not running), 0
  from admissions group by process_id, key;

-- Whoever changes `admissions`, this release or the one before, changes the lines with it.
create function count_slots_v1() returns trigger language plpgsql as $$
declare
  line record;
begin
  if tg_op = 'INSERT' then
    insert into slot_lines as l (process_id, key, running, waiting, called)
      select process_id, key, count(*) filter (where running), count(*) filter (where not running),
        count(*) filter (where called and not running)
      from added group by process_id, key order by process_id, key
      on conflict (process_id, key) do update set running = l.running + excluded.running,
        waiting = l.waiting + excluded.waiting, called = l.called + excluded.called;
  elsif tg_op = 'UPDATE' then
    insert into slot_lines as l (process_id, key, running, waiting, called)
      select process_id, key, sum(n * running::int), sum(n * (not running)::int), sum(n * (called and not running)::int)
      from (select 1 as n, * from added union all select -1, * from gone) as moved
      group by process_id, key order by process_id, key
      on conflict (process_id, key) do update set running = l.running + excluded.running,
        waiting = l.waiting + excluded.waiting, called = l.called + excluded.called;
  else
    for line in
      select process_id, key, count(*) filter (where running) as run, count(*) filter (where not running) as wait,
        count(*) filter (where called and not running) as call
      from gone group by process_id, key order by process_id, key
    loop
      delete from slot_lines
        where process_id = line.process_id and key = line.key and running <= line.run and waiting <= line.wait;
      if not found then
        update slot_lines
          set running = running - line.run, waiting = waiting - line.wait, called = called - line.call
          where process_id = line.process_id and key = line.key;
      end if;
    end loop;
  end if;
  return null;
end $$;
create trigger count_added after insert on admissions
  referencing new table as added for each statement execute function count_slots_v1();
create trigger count_moved after update on admissions
  referencing old table as gone new table as added for each statement execute function count_slots_v1();
create trigger count_gone after delete on admissions
  referencing old table as gone for each statement execute function count_slots_v1();

-- As v1, in lines. limits: of lines in which executions begin, how many may run; above one the append records nothing,
-- because another append has given the slot away since its worker read the line.
create function move_slots_v2(
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
      select * from unnest(placed_executions, placed_processes, placed_keys, placed_ranks, placed_called, placed_running)
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
