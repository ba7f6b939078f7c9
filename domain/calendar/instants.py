"""The instants of a rule, in order: the one calculation behind validation, preview, next run, firing and backfill."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import blake2b
from heapq import heappop, heappush, merge
from uuid import UUID

from domain.calendar.cron import Cron
from domain.calendar.exceptions import DateRange
from domain.calendar.placing import PlacedTime, offsets_around, place
from domain.calendar.rule import Every, Rule, today

SHORT_MONTH = "short_month"
_DAY = timedelta(days=1)


class Fate(StrEnum):
    """The word of the rule itself on an instant.

    RUN: an execution is due. SKIPPED: an exception. MOVED: an exception whose run is due on another day, at an instant
    of its own. COALESCED: an exception moved onto an instant at which another run of the rule is due anyway.
    """

    RUN = "run"
    SKIPPED = "skipped"
    MOVED = "moved"
    COALESCED = "coalesced"


@dataclass(frozen=True, slots=True)
class Instant:
    """An expected instant.

    at: in UTC, without jitter. local: the time on the clocks of the rule's zone. flags: ``dst_gap``, ``dst_overlap``,
    ``short_month``, and the fate if it is not to run. to: where the run of a moved or coalesced one is due.
    """

    at: datetime
    local: datetime
    flags: tuple[str, ...] = ()
    fate: Fate = Fate.RUN
    to: datetime | None = None


def instants(rule: Rule, after: datetime, *, inclusive: bool = False) -> Iterator[Instant]:
    """Yield the expected instants after `after`, or from it on, in order and each once, as far as they are requested.

    They end at `ends_at`, with the year 9999, or where the days of the rule rest for 50 years.
    """
    return _bounded(rule, after, inclusive, runs_only=False)


def next_instant(rule: Rule, after: datetime) -> Instant | None:
    """Return the first expected instant after `after`; None when there is none."""
    return next(instants(rule, after), None)


def next_run(rule: Rule, after: datetime) -> Instant | None:
    """Return the first instant after `after` at which an execution is due, past all exceptions; None for none."""
    runs = (each for each in _bounded(rule, after, False, runs_only=True) if each.fate is Fate.RUN)
    return next(runs, None)


def jittered(rule: Rule, key: UUID, at: datetime) -> datetime:
    """Return the moment at which the instant of the schedule `key` is due, with a delay that stays the same."""
    if not rule.jitter:
        return at
    digest = blake2b(key.bytes + at.astimezone(UTC).isoformat().encode(), digest_size=8).digest()
    return at + timedelta(microseconds=int.from_bytes(digest) % (rule.jitter // timedelta(microseconds=1)))


def _bounded(rule: Rule, after: datetime, inclusive: bool, *, runs_only: bool) -> Iterator[Instant]:
    if rule.starts_at is not None and rule.starts_at > after:
        after, inclusive = rule.starts_at, True
    pattern = rule.pattern
    if isinstance(pattern, Every):
        found = _every(rule, pattern, after, runs_only)
    else:
        found = _in_order(rule, pattern, after, runs_only)
    for each in found:
        if rule.ends_at is not None and each.at >= rule.ends_at:
            return
        if each.at > after or (inclusive and each.at == after):
            yield each


def _every(rule: Rule, every: Every, after: datetime, runs_only: bool) -> Iterator[Instant]:
    number = max(0, (after - every.first) // every.step)
    try:
        while True:
            at = every.first + number * every.step
            local = at.astimezone(rule.zone)
            exception = rule.exceptions.around(local.date())
            if exception is None:
                yield Instant(at, local)
            elif not runs_only:
                yield Instant(at, local, (Fate.SKIPPED,), Fate.SKIPPED)
            else:
                end = datetime.combine(exception[1] + _DAY, time(), rule.zone).astimezone(UTC)
                number = max(number, -((every.first - end) // every.step) - 1)
            number += 1
    except OverflowError:  # beyond the year 9999
        return


def _in_order(rule: Rule, cron: Cron, after: datetime, runs_only: bool) -> Iterator[Instant]:
    """Yield the instants from a little before `after` on.

    The order of clock times is that of instants, except near a change of the clock: there an instant waits until no
    time to come may have an earlier one. Of several at one instant, as of times in one gap, one remains, a run if any.
    """
    since = _earliest(rule, after)
    waiting: list[tuple[datetime, bool, int, Instant]] = []
    last: datetime | None = None
    number = 0
    for day in _days(rule, cron, since.date(), runs_only):
        least, greatest = offsets_around(day, rule.zone)
        steady = least if least == greatest else None
        day_of_rule = _day_of(rule, cron, day, steady)
        if day_of_rule is None or (runs_only and day_of_rule.exception is not None):
            continue
        for clock in _clocks(cron, since.time() if day == since.date() else time()):
            bound = datetime.combine(day, clock, UTC) - greatest if day > date.min else None
            while waiting and bound is not None and waiting[0][0] < bound:
                *_, each = heappop(waiting)
                if each.at != last:
                    last = each.at
                    yield each
            for each in day_of_rule.at(clock):
                number += 1
                heappush(waiting, (each.at, each.fate is not Fate.RUN, number, each))
    while waiting:
        *_, each = heappop(waiting)
        if each.at != last:
            last = each.at
            yield each


def _earliest(rule: Rule, after: datetime) -> datetime:
    """Return the least time on the clock, without a zone, that an instant from `after` on may have."""
    local = after.astimezone(rule.zone).replace(tzinfo=None)
    least, greatest = offsets_around(local.date(), rule.zone)
    try:
        return local - (greatest - least)
    except OverflowError:
        return local


def _days(rule: Rule, cron: Cron, first: date, runs_only: bool) -> Iterator[date]:
    """Yield every date from `first` on, on which the rule may have an instant, in order."""
    named = _outside_exceptions(rule, cron, first) if runs_only else cron.days.after(first)
    if rule.on_exception == "skip" or not rule.exceptions.ranges:
        yield from named
        return
    # A run may move onto the day behind or before an exception, though the rule does not name that day.
    beside = (_target(rule, each) for each in rule.exceptions.ranges)
    targets = (each for each in beside if each is not None and each >= first and not cron.days.named(each))
    yield from merge(named, targets)


def _outside_exceptions(rule: Rule, cron: Cron, first: date) -> Iterator[date]:
    """Yield the dates that the rule names and that are no exception; one of centuries is passed over at once."""
    begin: date | None = first
    while begin is not None:
        days, begin = cron.days.after(begin), None
        for day in days:
            exception = rule.exceptions.around(day)
            if exception is not None:
                begin = _beside(exception[1], 1)
                break
            yield day


def _target(rule: Rule, exception: DateRange) -> date | None:
    """Return the date onto which the runs of an exception move; None for none."""
    match rule.on_exception:
        case "next_day":
            return _beside(exception[1], 1)
        case "previous_day":
            return _beside(exception[0], -1)
    return None


def _beside(day: date, step: int) -> date | None:
    try:
        return day + step * _DAY
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class _Day:
    """A date on which the rule has instants: its own, or those that move onto it.

    steady: the offset of the clocks where it does not change near. exception: in which the date lies. source: the
    exception whose runs move onto a date that the rule does not name.
    """

    rule: Rule
    cron: Cron
    day: date
    steady: timedelta | None
    exception: DateRange | None
    source: DateRange | None
    flag: str | None

    def at(self, clock: time) -> Iterator[Instant]:
        """Yield the instants of a time on the clock."""
        fate, to = Fate.RUN, None
        if self.source is not None and _first_moved(self.rule, self.cron, self.source, clock) is None:
            return
        if self.exception is not None:
            fate, to = self._excepted(self.exception, clock)
        placed = self._placed(clock)
        # One run moves, even if the day shows its time twice: neither its own day nor the other makes two of it.
        for at, change in placed if self.source is None else placed[:1]:
            named = (None if self.rule.elapsed else change, self.flag, None if fate is Fate.RUN else fate)
            yield Instant(at, at.astimezone(self.rule.zone), tuple(each for each in named if each), fate, to)
            fate = Fate.COALESCED if fate is Fate.MOVED else fate

    def _excepted(self, exception: DateRange, clock: time) -> tuple[Fate, datetime | None]:
        target = _target(self.rule, exception)
        landing = () if target is None else _place(self.rule, target, clock)
        to = next((at for at, _ in landing if _within(self.rule, at)), None)
        if target is None or to is None:
            return Fate.SKIPPED, None
        # Of the days of one exception the first one moves; the others meet its run, or the target's own.
        meets = self.cron.days.named(target) or _first_moved(self.rule, self.cron, exception, clock) != self.day
        return (Fate.COALESCED if meets else Fate.MOVED), to

    def _placed(self, clock: time) -> Sequence[PlacedTime]:
        if self.steady is None:
            return _place(self.rule, self.day, clock)
        return ((datetime.combine(self.day, clock, UTC) - self.steady, None),)


def _day_of(rule: Rule, cron: Cron, day: date, steady: timedelta | None) -> _Day | None:
    """Return the instants of a date; None where the rule has none on it."""
    exception = rule.exceptions.around(day)
    if cron.days.named(day):
        flag = SHORT_MONTH if cron.days.short(day) else None
        return _Day(rule, cron, day, steady, exception, None, flag)
    if exception is not None:
        return None
    beside = _beside(day, -1 if rule.on_exception == "next_day" else 1)
    source = None if beside is None else rule.exceptions.around(beside)
    # Mostly the rule names no day of the exception: one check here saves one for each time on the clock.
    if source is None or next(cron.days.after(source[0]), date.max) > source[1]:
        return None
    return _Day(rule, cron, day, steady, None, source, None)


def _first_moved(rule: Rule, cron: Cron, exception: DateRange, clock: time) -> date | None:
    """Return the first date of an exception on which the rule expects this clock time; None for none."""
    first = exception[0]
    if rule.starts_at is not None:
        first = max(first, today(rule.starts_at, rule.zone) - _DAY)
    for day in cron.days.after(first):
        if day > exception[1]:
            return None
        if any(_within(rule, at) for at, _ in _place(rule, day, clock)):
            return day
    return None


def _place(rule: Rule, day: date, clock: time) -> list[PlacedTime]:
    return place(datetime.combine(day, clock), rule.zone, rule.gap, rule.overlap)


def _clocks(cron: Cron, since: time) -> Iterator[time]:
    """Yield the times of a day that the rule names, from `since` on."""
    for hour in cron.hours[bisect_left(cron.hours, since.hour) :]:
        for minute in cron.minutes:
            if hour > since.hour or minute >= since.minute:
                yield time(hour, minute)


def _within(rule: Rule, at: datetime) -> bool:
    return (rule.starts_at is None or at >= rule.starts_at) and (rule.ends_at is None or at < rule.ends_at)
