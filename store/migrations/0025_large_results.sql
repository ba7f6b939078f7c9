-- Outputs of agents that are too large for an event, where an operator allows them: an event refers to one by the digest
-- of its JSON (store/large_results.py). They are dropped with their execution.
create table large_results (
  execution_id uuid,
  digest bytea,
  content bytea not null,
  kept_at timestamptz not null default now(),
  primary key (execution_id, digest)
);
-- The content is looked up whole, and compressing it would cost more than it saves.
alter table large_results alter column content set storage external;
