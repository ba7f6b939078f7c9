"""The days of a rule: which dates it names, by day of the month, weekday and month."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

ALL_MONTHS = frozenset(range(1, 13))
# No rule that is accepted rests longer: 29 February from 2096 to 2104, a fifth weekday in February for 40 years.
LONGEST_REST_MONTHS = 50 * 12


@dataclass(frozen=True, slots=True)
class Days:
    """Dates that a rule names. Weekdays count from 0, Sunday.

    of_month and last_of_month: days of the month, None for any. weekdays, nth (weekday, which one of the month) and
    last: days of the week, None for any. Where both are set, a date that either names is one. shortened: the last day
    of a month that has no such day stands for it.
    """

    months: frozenset[int] = ALL_MONTHS
    of_month: frozenset[int] | None = None
    last_of_month: bool = False
    weekdays: frozenset[int] | None = None
    nth: frozenset[tuple[int, int]] = frozenset()
    last: frozenset[int] = frozenset()
    shortened: bool = False

    def named(self, day: date) -> bool:
        """Return whether the rule names this date."""
        if day.month not in self.months:
            return False
        by_month, by_week = self._by_month(day), self._by_week(day)
        if self.of_month is None or self.weekdays is None:
            return by_month and by_week
        return by_month or by_week

    def short(self, day: date) -> bool:
        """Return whether the date stands for a day that its month does not have."""
        longest = _length(day)
        return self.shortened and day.day == longest and any(each > longest for each in self.of_month or ())

    def after(self, day: date) -> Iterator[date]:
        """Yield the dates from `day` on, in order; end where none comes for LONGEST_REST_MONTHS, or after 9999."""
        year, month, rest = day.year, day.month, 0
        while rest < LONGEST_REST_MONTHS and year <= date.max.year:
            rest += 1
            if month in self.months:
                for number in range(1, monthrange(year, month)[1] + 1):
                    each = date(year, month, number)
                    if each >= day and self.named(each):
                        rest = 0
                        yield each
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)

    def _by_month(self, day: date) -> bool:
        if self.of_month is None:
            return True
        if day.day in self.of_month or (self.last_of_month and day.day == _length(day)):
            return True
        return self.short(day)

    def _by_week(self, day: date) -> bool:
        if self.weekdays is None:
            return True
        weekday = day.isoweekday() % 7
        return (
            weekday in self.weekdays
            or (weekday, (day.day - 1) // 7 + 1) in self.nth
            or (weekday in self.last and day.day + 7 > _length(day))
        )


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]
