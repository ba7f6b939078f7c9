"""The edition of the zone data by which the next runs of schedules are worked out."""
