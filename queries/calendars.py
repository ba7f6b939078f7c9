"""Calendars, from the log: there are few."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from domain.calendar.exceptions import is_calendar
from domain.calendars.calendar import Calendar, CalendarContent, fold
from domain.event import Event
from domain.identity import calendar_id
from domain.refusal import NotFound
from queries.reading import Reading
from store.mapper import decode

MOST = 1_000
_LIST = """
select distinct on (e.originator_id) e.originator_id, e.originator_version, e.state from stored_events e
where e.topic = 'CalendarDefined' order by e.originator_id, e.originator_version desc limit %s"""
_SEVERAL = """
select originator_id, topic, state from stored_events where originator_id = any(%s) order by originator_version"""
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


def contents_of(reading: Reading, entries: Iterable[str]) -> dict[str, CalendarContent]:
    """Return the present contents of the calendars that entries of `except` name, by name; days name none."""
    ids = [calendar_id(entry) for entry in entries if is_calendar(entry)]
    if not ids:
        return {}
    with reading.log() as (connection, _):
        rows = connection.execute(_SEVERAL, (ids,)).fetchall()
    streams: dict[UUID, list[Event]] = {}
    for row in rows:
        streams.setdefault(row["originator_id"], []).append(decode(row["topic"], row["state"]))
    found = [fold(events) for events in streams.values()]
    return {each.name: each.content for each in found if each is not None}


def get_calendar(reading: Reading, name: str) -> CalendarView:
    """Return one calendar. Raises NotFound."""
    with reading.log() as (connection, _):
        rows = connection.execute(_ONE, (calendar_id(name),)).fetchall()
    calendar: Calendar | None = fold(decode(row["topic"], row["state"]) for row in rows)
    if calendar is None:
        raise NotFound(f"there is no calendar {name!r}")
    return CalendarView(calendar.name, calendar.content.days, calendar.description, calendar.content.version)
