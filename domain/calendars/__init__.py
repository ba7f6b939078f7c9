"""Calendars of the organisation: named days on which schedules make exceptions."""
