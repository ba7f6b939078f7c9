-- Operators request acts on read models here, and a projector carries them out, one at a time: a row a read model, with
-- the open request or the last one.
create table read_model_requests (
  projection text primary key,
  request_id uuid not null,
  act text not null,
  actor text not null,
  reason text not null,
  state text not null default 'requested',
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  failure text,
  result json
);

-- The last comparison of the tables built beside those in use: promote and drop make it void.
create table read_table_comparisons (
  projection text primary key,
  "position" bigint not null,
  tables json not null,
  compared_at timestamptz not null default now()
);

-- Dead letters that an operator has skipped stay skipped when a rebuild meets the event again.
create table skipped_letters (
  projection text not null,
  "position" bigint not null,
  actor text not null,
  reason text not null,
  at timestamptz not null default now(),
  primary key (projection, "position")
);

create index dead_letters_newest_idx on dead_letters (at, "position", projection);
