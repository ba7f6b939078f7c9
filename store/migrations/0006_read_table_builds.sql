-- Read tables beside those in use: the next ones, while they are built, and the previous ones, until the next build.
create schema building;
create schema previous;

-- slot: the schema that holds the tables, building or previous. position: the log is in them up to there; target: how far
-- a build goes, as far as it is known. indexed: nothing is missing but the newest events.
create table read_table_builds (
  projection text not null,
  slot text not null,
  digest text not null,
  tables text[] not null,
  position bigint not null,
  target bigint not null,
  indexed boolean not null,
  failure text,
  begun_at timestamptz not null default now(),
  primary key (projection, slot)
) with (fillfactor = 50);

-- Shapes that gave way to another. A release builds its own shape by itself only if that never gave way: so two releases
-- never replace each other's tables in turns.
create table replaced_read_tables (
  projection text not null,
  digest text not null,
  replaced_at timestamptz not null default now(),
  primary key (projection, digest)
);
