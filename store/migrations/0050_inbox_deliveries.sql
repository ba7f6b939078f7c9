-- What the inbox of each agent has delivered, outside the log. What the agent acknowledges is an event.
create table inbox_deliveries (
  agent text primary key,
  position bigint not null,
  delivered_at timestamptz not null
);
