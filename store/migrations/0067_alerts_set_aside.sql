-- A cost alert about which no decision succeeds is set aside as an execution is, so that the others go on. kind: what the
-- row is about: 'execution', or 'cost_alert'. found: of an alert, the levels that its total reached and fell below since,
-- as JSON, to be decided on at the next try; null for none.
alter table set_aside add column kind text not null default 'execution', add column found text;
