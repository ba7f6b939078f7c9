-- Read tables as they were built: digest is the fingerprint of their DDL, failure why the projection stands still.
create table projections (
  name text primary key,
  digest text not null,
  built_at timestamptz not null default now(),
  failure text,
  failed_at timestamptz
);

-- Where read models are built anew, aside from the ones in use.
create schema rebuilding;
