"""Windows of analytics: some complete days and today on the clocks of a zone, and the equal period before. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from domain.calendar.midnights import midnight
from domain.calendar.zones import parse_zone

LONGEST = 366
A_DAY = timedelta(1)


class AnalyticsDay(msgspec.Struct, frozen=True, gc=False):
    """A date in a zone: the instants from `begin` until `end`, of 23 hours to 25. partial: it is today."""

    day: date
    begin: datetime
    end: datetime
    partial: bool = False


class AnalyticsWindow(msgspec.Struct, frozen=True):
    """Some complete days and today, and as many complete days before, each in order. timezone: of the days."""

    timezone: str
    days: tuple[AnalyticsDay, ...]
    before: tuple[AnalyticsDay, ...]

    @property
    def begin(self) -> datetime:
        """The first instant of the window."""
        return self.days[0].begin

    @property
    def end(self) -> datetime:
        """The first instant after the window: the end of today."""
        return self.days[-1].end

    @property
    def today(self) -> datetime:
        """The first instant of today: the complete days end there."""
        return self.days[-1].begin

    @property
    def begin_before(self) -> datetime:
        """The first instant of the period before."""
        return self.before[0].begin

    @property
    def bounds(self) -> tuple[datetime, ...]:
        """The bounds of all days in order, those of the period before first."""
        return (*(each.begin for each in (*self.before, *self.days)), self.end)


def analytics_window(days: int, timezone: str, now: datetime) -> AnalyticsWindow:
    """Return the window of `days` complete days and today. timezone: its name, as ``Europe/Berlin``.

    Raises ValueError for a number of days outside 1 to 366, or a zone that does not exist.
    """
    if not 1 <= days <= LONGEST:
        raise ValueError(f"the number of days is 1 to {LONGEST}")
    return _window(days, timezone, _today(now, timezone))


# Every answer of a day has the same one, and a long one is hundreds of days.
@lru_cache(20)
def _window(days: int, timezone: str, today: date) -> AnalyticsWindow:
    backwards = _days_back(today, timezone)
    found = [next(backwards) for _ in range(2 * days + 1)][::-1]
    last = msgspec.structs.replace(found[-1], partial=True)
    return AnalyticsWindow(timezone, (*found[days:-1], last), tuple(found[:days]))


def _today(now: datetime, timezone: str) -> date:
    """Return the date whose day `now` lies in."""
    day = now.astimezone(parse_zone(timezone)).date()
    if midnight(day, timezone) > now:
        return day - A_DAY  # a midnight that is shown twice began the next day already, or clocks show the day before
    return day + A_DAY if midnight(day + A_DAY, timezone) <= now else day


def _days_back(day: date, timezone: str) -> Iterator[AnalyticsDay]:
    """Yield a day, and the days before it. A date that a zone leaves out is no day."""
    end = midnight(day + A_DAY, timezone)
    while True:
        begin = midnight(day, timezone)
        if begin < end:
            yield AnalyticsDay(day, begin, end)
        end, day = begin, day - A_DAY
