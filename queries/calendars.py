"""Calendars, from the log: there are few."""

import msgspec

from domain.calendars.calendar import Calendar, fold
from domain.identity import calendar_id
from domain.refusal import NotFound
from queries.reading import Reading
from store.mapper import decode

MOST = 1_000
_LIST = """
select distinct on (e.originator_id) e.originator_id, e.originator_version, e.state from stored_events e
where e.topic = 'CalendarDefined' order by e.originator_id, e.originator_version desc limit %s"""
_ONE = "select topic, state from stored_events where originator_id = %s order by originator_version"


class CalendarView(msgspec.Struct, frozen=True):
    """A calendar. days: dates, and ranges as 2026-12-24..2026-12-26. version: grows with each definition."""

    name: str
    days: list[str]
    description: str
    version: int


class CalendarList(msgspec.Struct, frozen=True):
    """Every calendar, by name."""

    items: list[CalendarView]


def list_calendars(reading: Reading) -> CalendarList:
    """Return every calendar, by name."""
    with reading.log() as (connection, _):
        rows = connection.execute(_LIST, (MOST,)).fetchall()
    found = [decode("CalendarDefined", row["state"]) for row in rows]
    views = [
        CalendarView(event.name, event.days, event.description, row["originator_version"])  # type: ignore[attr-defined]
        for event, row in zip(found, rows, strict=True)
    ]
    return CalendarList(sorted(views, key=lambda each: each.name))


def get_calendar(reading: Reading, name: str) -> CalendarView:
    """Return one calendar. Raises NotFound."""
    with reading.log() as (connection, _):
        rows = connection.execute(_ONE, (calendar_id(name),)).fetchall()
    calendar: Calendar | None = fold(decode(row["topic"], row["state"]) for row in rows)
    if calendar is None:
        raise NotFound(f"there is no calendar {name!r}")
    return CalendarView(calendar.name, calendar.content.days, calendar.description, calendar.content.version)
