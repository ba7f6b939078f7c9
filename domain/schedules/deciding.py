"""A decision about one schedule while it is made: the events so far, and the state that follows from them."""

from datetime import datetime
from typing import Any

import msgspec

from domain.event import Cause, Event, record
from domain.schedules.events import ScheduleEvent
from domain.schedules.schedule import Schedule, evolve
from domain.schedules.terms import TermsOf, next_due


class Deciding:
    """Collects events. schedule: the state after those so far; None before the first registration."""

    def __init__(self, schedule: Schedule | None, cause: Cause, terms_of: TermsOf) -> None:
        self._schedule = schedule
        self.cause = cause
        self.terms_of = terms_of
        self._events: list[ScheduleEvent] = []

    @property
    def schedule(self) -> Schedule:
        """The state after the events so far."""
        assert self._schedule is not None
        return self._schedule

    def record(self, kind: type[ScheduleEvent], **facts: Any) -> None:
        """Add an event, and the state that follows."""
        event = record(kind, self.cause, **facts)
        self._schedule = evolve(self._schedule, event)
        self._events.append(event)

    def events(self) -> list[Event]:
        """Return the events, each with the time at which the schedule is due after all of them."""
        if not self._events:
            return []
        next_at: datetime | None = next_due(self.schedule, self.terms_of)
        return [msgspec.structs.replace(event, next_at=next_at) for event in self._events]
