-- The batches that workers go through; the append moves them by the events of batches. turn: workers serve them in
-- turns, the one first that has waited longest. claimed_until: a worker acts on its executions until then; both are no
-- facts and may be lost.
create table running_batches (
  batch_id uuid primary key,
  turn timestamptz not null default now(),
  claimed_until timestamptz
) with (fillfactor = 70);

create function move_running_batches_v1(appended bigint, begun uuid[], over uuid[])
returns text language plpgsql as $$
begin
  if cardinality(begun) > 0 then
    insert into running_batches (batch_id) select * from unnest(begun) on conflict (batch_id) do nothing;
  end if;
  if cardinality(over) > 0 then
    delete from running_batches where batch_id = any(over);
  end if;
  return case when cardinality(begun) > 0 then 'batch' end;
end $$;
