-- The large events of the log, so that a page that is read ends where it has enough bytes, and costs nothing where it
-- has not.
create index stored_events_large_idx on stored_events (notification_id) where octet_length(state) > 4096;
