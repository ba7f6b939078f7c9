-- The stream of a schedule is long; readers begin at the last event that carries its state.
create index stored_events_carried_idx on stored_events (originator_id, originator_version) where topic = 'ScheduleCarried';
