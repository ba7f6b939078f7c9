-- The executions that left the log for files, by the position of the event that records it, with the fields that lists
-- and figures count by. No rebuild makes these rows: the log has the executions no more.
create table archived_executions (
  execution_id uuid primary key,
  position bigint not null,
  root_id uuid not null,
  process_id uuid not null,
  process text not null,
  version int not null,
  trigger text not null,
  status text not null,
  body boolean not null,
  started_position bigint not null,
  started_at timestamptz not null,
  ended_at timestamptz not null
);
create index archived_executions_position_idx on archived_executions (position);
create index archived_executions_ended_idx on archived_executions (ended_at, process_id);
create index archived_executions_newest_idx on archived_executions (process_id, started_position) where not body;
-- How many of them each process has, without those that ran the steps inside a step.
create table archived_counts (
  process_id uuid primary key,
  executions bigint not null
);
-- Their part of the figures, by read table, as compressed JSON: a rebuild begins with these rows.
create table archived_figures (
  position bigint not null,
  projection text not null,
  table_name text not null,
  rows bytea not null,
  primary key (projection, table_name, position)
);
