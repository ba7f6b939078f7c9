"""The state of one calendar: the fold of its events."""

from collections.abc import Iterable

import msgspec

from domain.calendars.events import CalendarDefined
from domain.event import Event


class CalendarContent(msgspec.Struct, frozen=True):
    """The days of a calendar in one of its versions (1, 2, 3...)."""

    version: int
    days: list[str]


class Calendar(msgspec.Struct, frozen=True):
    """A calendar now."""

    name: str
    content: CalendarContent
    description: str = ""


def fold(events: Iterable[Event]) -> Calendar | None:
    """Return the calendar after all `events`, in order; None for none."""
    calendar: Calendar | None = None
    for event in events:
        if not isinstance(event, CalendarDefined):
            raise ValueError(f"{type(event).__name__} does not happen to a calendar")
        version = 1 if calendar is None else calendar.content.version + 1
        calendar = Calendar(event.name, CalendarContent(version, event.days), event.description)
    return calendar
