-- The publications of the log. What they mark as sensitive is looked up before a view is shown, so that a version counts
-- from its publication on, whatever process published it.
create index stored_events_published_idx on stored_events (notification_id) where topic = 'ProcessPublished';
