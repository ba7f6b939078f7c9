-- The last use of each key, outside the log. Keys themselves are events.
create table key_uses (
  key_id uuid primary key,
  last_used_at timestamptz not null
);
