"""The days on which a rule makes an exception: dates, ranges of dates, and calendars of the organisation by name."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Protocol

from domain.words import did_you_mean

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY = timedelta(days=1)

DateRange = tuple[date, date]
"""(first day, last day)"""


class NamedCalendar(Protocol):
    """A calendar of the organisation; days: dates and ranges as an `except` writes them."""

    @property
    def days(self) -> Sequence[str]:
        """Return the entries."""


class InvalidDays(ValueError):
    """An entry that is neither a date, nor a range, nor a calendar. code: ``invalid_date`` or ``unknown_calendar``."""

    def __init__(self, message: str, code: str = "invalid_date") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Dates in ranges from first to last day, merged and in order."""

    ranges: tuple[DateRange, ...] = ()

    def around(self, day: date) -> DateRange | None:
        """Return the range in which the date lies; the days before and after it are none."""
        found = bisect_right(self.ranges, (day, date.max)) - 1
        return self.ranges[found] if found >= 0 and day <= self.ranges[found][1] else None


def exceptions_of(entries: Iterable[str], calendars: Mapping[str, NamedCalendar]) -> Exceptions:
    """Return the days that the entries name. Raises InvalidDays."""
    return Exceptions(_merged(chain.from_iterable(_ranges(entry, calendars) for entry in entries)))


def days_of(entry: str) -> DateRange:
    """Return the first and the last day of a date or a range. Raises InvalidDays."""
    first, dots, last = (part.strip() for part in entry.partition(".."))
    begin = _day(first, entry)
    end = _day(last, entry) if dots else begin
    if end < begin:
        raise InvalidDays(f"`{entry[:60]}` ends before it begins")
    return begin, end


def is_calendar(entry: str) -> bool:
    """Return whether the entry names a calendar rather than days."""
    return not _DATE.match(entry.strip()) and ".." not in entry


def _ranges(entry: str, calendars: Mapping[str, NamedCalendar]) -> list[DateRange]:
    if not is_calendar(entry):
        return [days_of(entry)]
    named = calendars.get(entry)
    if named is None:
        near = did_you_mean(entry, calendars)
        hint = near or "a day is written like 2026-12-24, a range like 2026-12-24..2026-12-26"
        raise InvalidDays(f"there is no calendar `{entry[:60]}`; {hint}", "unknown_calendar")
    return [days_of(each) for each in named.days]


def _day(written: str, entry: str) -> date:
    try:
        if _DATE.fullmatch(written):
            return date.fromisoformat(written)
    except ValueError:
        pass  # a day that its month does not have
    raise InvalidDays(f"`{entry[:60]}` is neither a date like 2026-12-24 nor a range like 2026-12-24..2026-12-26")


def _merged(ranges: Iterable[DateRange]) -> tuple[DateRange, ...]:
    merged: list[DateRange] = []
    for begin, end in sorted(ranges):
        if merged and (merged[-1][1] == date.max or begin <= merged[-1][1] + _DAY):
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return tuple(merged)


NONE = Exceptions()
