-- The cost alerts that are not over; the append moves them by the events of alerts. resolves_at: when the window of an
-- alert ends. act: the act that its threshold requests, until it is done.
create table standing_alerts (
  alert_id uuid primary key,
  process_id uuid not null,
  kind text not null,
  rule int not null,
  resolves_at timestamptz,
  act text not null default ''
);
create index standing_alerts_resolves_idx on standing_alerts (resolves_at) where resolves_at is not null;
create index standing_alerts_process_idx on standing_alerts (process_id, kind);
create index standing_alerts_act_idx on standing_alerts (alert_id) where act <> '';

create function move_standing_alerts_v1(
  appended bigint, raised uuid[], processes uuid[], kinds text[], rules int[], ends timestamptz[], acts text[],
  acted uuid[], over uuid[]
) returns text language plpgsql as $$
begin
  if cardinality(raised) > 0 then
    insert into standing_alerts (alert_id, process_id, kind, rule, resolves_at, act)
      select * from unnest(raised, processes, kinds, rules, ends, acts)
      on conflict (alert_id) do update set resolves_at = excluded.resolves_at, act = excluded.act;
  end if;
  if cardinality(acted) > 0 then
    update standing_alerts set act = '' where alert_id = any(acted);
  end if;
  if cardinality(over) > 0 then
    delete from standing_alerts where alert_id = any(over);
  end if;
  return null;
end $$;

-- There are few thresholds in a large log.
create index stored_events_thresholds_idx on stored_events (originator_id) where topic = 'CostThresholdSet';

-- How far each policy, which appends what follows from events, has followed the log: moved with what it appends.
create table policy_positions (
  policy text primary key,
  position bigint not null
);
