"""The instants of a rule, in order: the one calculation behind validation, preview, next run, firing and backfill."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import chain, product
from uuid import UUID

from domain.calendar.cron import Cron
from domain.calendar.placing import PlacedTime, place
from domain.calendar.rule import Every, Rule, today

SHORT_MONTH = "short_month"
_DAY = timedelta(days=1)
# No zone is further from UTC, so that no clock time of a day lies further from that day in UTC.
_FURTHEST = timedelta(days=1)


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
    """Yield the instants of days from a little before `after` on.

    The order of clock times is not that of instants where clocks go back past midnight: an instant waits until no day
    to come may have an earlier one. Of several at one instant, such as times in one gap, one remains, a run if any is.
    """
    waiting: list[tuple[datetime, bool, int, Instant]] = []
    last: datetime | None = None
    number = 0
    for day in chain(_days(rule, cron, after), (None,)):
        while waiting and (day is None or waiting[0][0] < datetime.combine(day, time(), UTC) - _FURTHEST):
            *_, each = heappop(waiting)
            if each.at != last:
                last = each.at
                yield each
        for each in () if day is None else _of_day(rule, cron, day, runs_only):
            number += 1
            heappush(waiting, (each.at, each.fate is not Fate.RUN, number, each))


def _days(rule: Rule, cron: Cron, after: datetime) -> Iterator[date]:
    """Yield every date on which the rule may have an instant, in order."""
    try:
        first = today(after, rule.zone) - 2 * _DAY
    except OverflowError:
        first = date.min
    named = cron.days.after(first)
    if rule.on_exception == "skip" or not rule.exceptions.ranges:
        yield from named
        return
    # A run may move onto the day behind or before an exception, though the rule does not name that day.
    step = 1 if rule.on_exception == "next_day" else -1
    edges = [end if step == 1 else begin for begin, end in rule.exceptions.ranges]
    beside = (_beside(edge, step) for edge in edges)
    targets = iter(sorted(each for each in beside if each is not None))
    target = next((each for each in targets if each >= first), None)
    for day in named:
        while target is not None and target < day:
            yield target
            target = next(targets, None)
        if target == day:
            target = next(targets, None)
        yield day
    while target is not None:
        yield target
        target = next(targets, None)


def _beside(day: date, step: int) -> date | None:
    try:
        return day + step * _DAY
    except OverflowError:
        return None


def _of_day(rule: Rule, cron: Cron, day: date, runs_only: bool) -> Iterator[Instant]:
    """Yield the instants that belong to one date by its clock times: its own, or those that move onto it."""
    exception = rule.exceptions.around(day)
    if exception is not None:
        if not runs_only and cron.days.named(day):
            yield from _exceptions(rule, cron, day, exception)
    elif cron.days.named(day):
        short = SHORT_MONTH if cron.days.short(day) else None
        for clock in _clocks(cron):
            for at, flag in _placed(rule, day, clock):
                yield _instant(rule, at, (flag, short))
    elif rule.on_exception != "skip":
        beside = _beside(day, -1 if rule.on_exception == "next_day" else 1)
        moving = None if beside is None else rule.exceptions.around(beside)
        for clock in _clocks(cron):
            if moving is not None and _first_moved(rule, cron, moving, clock) is not None:
                for at, flag in _placed(rule, day, clock):
                    yield _instant(rule, at, (flag,))


def _exceptions(rule: Rule, cron: Cron, day: date, exception: tuple[date, date]) -> Iterator[Instant]:
    """Yield the instants of a date within an exception, each with its fate."""
    target = None
    if rule.on_exception != "skip":
        target = _beside(exception[1], 1) if rule.on_exception == "next_day" else _beside(exception[0], -1)
    for clock in _clocks(cron):
        landing = () if target is None else _placed(rule, target, clock)
        to = next((at for at, _ in landing if _within(rule, at)), None)
        fate = Fate.SKIPPED
        if target is not None and to is not None:
            # Of the days of one exception the first one moves; the others meet its run, or the target's own.
            meets = cron.days.named(target) or _first_moved(rule, cron, exception, clock) != day
            fate = Fate.COALESCED if meets else Fate.MOVED
        for at, flag in _placed(rule, day, clock):
            yield _instant(rule, at, (flag, fate), fate, to)


def _first_moved(rule: Rule, cron: Cron, exception: tuple[date, date], clock: time) -> date | None:
    """Return the first date of an exception on which the rule expects this clock time; None for none."""
    first = exception[0]
    if rule.starts_at is not None:
        first = max(first, today(rule.starts_at, rule.zone) - _DAY)
    for day in cron.days.after(first):
        if day > exception[1]:
            return None
        if any(_within(rule, at) for at, _ in _placed(rule, day, clock)):
            return day
    return None


def _placed(rule: Rule, day: date, clock: time) -> list[PlacedTime]:
    return place(datetime.combine(day, clock), rule.zone, rule.gap, rule.overlap)


def _clocks(cron: Cron) -> Iterator[time]:
    for hour, minute in product(cron.hours, cron.minutes):
        yield time(hour, minute)


def _within(rule: Rule, at: datetime) -> bool:
    return (rule.starts_at is None or at >= rule.starts_at) and (rule.ends_at is None or at < rule.ends_at)


def _instant(
    rule: Rule, at: datetime, flags: tuple[str | None, ...], fate: Fate = Fate.RUN, to: datetime | None = None
) -> Instant:
    kept = tuple(flag for flag in flags if flag is not None and not (rule.elapsed and flag.startswith("dst_")))
    return Instant(at, at.astimezone(rule.zone), kept, fate, to)
