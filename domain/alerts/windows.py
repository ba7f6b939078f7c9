"""Windows of cost thresholds: the day or the week, on the clocks of a zone, to which a cost belongs. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from domain.calendar.midnights import midnight
from domain.calendar.times import WEEKDAYS
from domain.calendar.zones import parse_zone

PER_EXECUTION, DAILY, WEEKLY = "per_execution", "daily", "weekly"
WINDOWED = (DAILY, WEEKLY)
_DAYS = {DAILY: 1, WEEKLY: 7}


class CostWindow(msgspec.Struct, frozen=True):
    """A day or a week: the instants from `begin` until `end`, between midnights of `timezone`."""

    begin: datetime
    end: datetime
    timezone: str


@lru_cache(20_000)
def _starting(day: date, days: int, timezone: str) -> CostWindow:
    return CostWindow(midnight(day, timezone), midnight(day + timedelta(days), timezone), timezone)


def window_of(kind: str, at: datetime, timezone: str, week_starts: str = "monday") -> CostWindow:
    """Return the window that an instant belongs to. kind: ``daily`` or ``weekly``."""
    day = at.astimezone(parse_zone(timezone)).date()
    if kind == WEEKLY:
        day -= timedelta((day.weekday() - WEEKDAYS.index(week_starts)) % 7)
    found = _starting(day, _DAYS[kind], timezone)
    # Where a midnight is shown twice, the first one begins the day: the second hour before it is still shown as the
    # day before.
    return found if found.begin <= at else _starting(day - timedelta(_DAYS[kind]), _DAYS[kind], timezone)


def windows_between(
    kind: str, begin: datetime, end: datetime, timezone: str, week_starts: str = "monday"
) -> Iterator[CostWindow]:
    """Yield the windows from the one of `begin` on that begin before `end`, in order."""
    window = window_of(kind, begin, timezone, week_starts)
    while window.begin < end:
        yield window
        window = window_of(kind, window.end, timezone, week_starts)
