-- The addresses that receive the entries of an inbox, with the position up to which each has; and what none received.
create table inbox_webhooks (
  webhook_id uuid primary key,
  agent text not null,
  url text not null,
  secret text not null,
  added_by text not null,
  added_at timestamptz not null default now(),
  position bigint not null,
  read_until bigint not null default 0,
  verified_at timestamptz,
  suspended_at timestamptz,
  failing_since timestamptz,
  delivered_at timestamptz,
  tries integer not null default 0,
  last_error text,
  due_at timestamptz not null default now(),
  claimed_until timestamptz
);
create index inbox_webhooks_by_agent on inbox_webhooks (agent, added_at);
create index inbox_webhooks_due on inbox_webhooks (due_at) where suspended_at is null;
create table inbox_dead_deliveries (
  webhook_id uuid not null,
  event_id text not null,
  position bigint not null,
  tries integer not null,
  error text not null,
  died_at timestamptz not null default now(),
  retry boolean not null default false,
  primary key (webhook_id, event_id)
);
