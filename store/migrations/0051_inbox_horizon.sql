-- The position up to which inboxes keep no entries any more; no row: they keep all.
create table inbox_horizon (
  id int primary key default 1 check (id = 1),
  position bigint not null
);
