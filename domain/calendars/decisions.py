"""Decisions about a calendar: pure functions from state and days to events, or a refusal."""

import re
from collections.abc import Sequence
from datetime import date

from domain.calendars.calendar import Calendar
from domain.calendars.events import CalendarDefined
from domain.event import Cause, Event, record
from domain.refusal import Malformed, Problem

MOST_DAYS = 1_000
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAYS = re.compile(rf"({_DATE})(?:\.\.({_DATE}))?", re.ASCII)


def define_calendar(
    calendar: Calendar | None, name: str, days: Sequence[str], description: str, cause: Cause
) -> list[Event]:
    """Give the calendar its days; returns no events when it has them. Raises Malformed with every wrong entry."""
    problems = [
        Problem("invalid_day", f"`{day[:40]}` is neither a date nor a range as 2026-12-24..2026-12-26", f"days[{n}]")
        for n, day in enumerate(days)
        if not is_day(day)
    ]
    if problems:
        raise Malformed(problems[0].message, problems)
    if calendar is not None and (calendar.content.days, calendar.description) == (list(days), description):
        return []
    return [record(CalendarDefined, cause, name=name, days=list(days), description=description)]


def is_day(text: str) -> bool:
    """Return whether a text is a date, or a range of dates whose end is not before its beginning."""
    found = _DAYS.fullmatch(text)
    if found is None:
        return False
    try:
        first = date.fromisoformat(found[1])
        return found[2] is None or first <= date.fromisoformat(found[2])
    except ValueError:
        return False
