"""The cover of a period by the spans of the grains, in UTC: the fewest rows of rollups that add up to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from domain.analytics.grains import DAY, GRAINS, begin_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
# In seconds, the coarsest first.
_LENGTHS = tuple(grain // _SECOND for grain in reversed(GRAINS))
_FINEST = _LENGTHS[-1]


class GrainRange(msgspec.Struct, frozen=True):
    """Whole rollups of one grain, from the one that begins at `begin` until, without it, the one at `end`."""

    grain: timedelta
    begin: datetime
    end: datetime


# Pages of one day read the same hours again and again.
@lru_cache(1_000)
def cover(begin: datetime, end: datetime) -> tuple[GrainRange, ...]:
    """Return the ranges that add up to a period, each instant in exactly one, in order.

    The bounds are taken at the quarter of an hour in which they lie: every zone of today has its midnights there.
    """
    first, last = ((at - _EPOCH) // _SECOND // _FINEST * _FINEST for at in (begin, end))
    return tuple(
        GrainRange(timedelta(seconds=length), _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high))
        for length, low, high in _within(first, last, _LENGTHS)
    )


def whole_grain(bounds: Sequence[datetime]) -> timedelta | None:
    """Return the coarsest grain of which every bound begins a span, if it is longer than a quarter of an hour."""
    seconds = [(at - _EPOCH) // _SECOND for at in bounds]
    found = (length for length in _LENGTHS[:-1] if not any(at % length for at in seconds))
    return next((timedelta(seconds=length) for length in found), None)


def near_midnights(bounds: Sequence[datetime]) -> tuple[list[datetime], list[list[GrainRange]]]:
    """Return for each bound the midnight of UTC that is nearest, and the ranges of the time between the two.

    So a day of a zone is the days of UTC between two such midnights, corrected at both ends.
    """
    midnights, ends = list[datetime](), list[list[GrainRange]]()
    for at in bounds:
        before = begin_of(at, DAY)
        midnight, parts = _to_midnight(at - before)
        midnights.append(before + midnight)
        ends.append([GrainRange(grain, before + begin, before + end) for grain, begin, end in parts])
    return midnights, ends


@lru_cache(1_000)
def _to_midnight(time_of_day: timedelta) -> tuple[timedelta, list[tuple[timedelta, timedelta, timedelta]]]:
    """Return the midnight that is nearest, from the one before, and grain, begin and end of the ranges between."""
    midnight = (time_of_day + DAY / 2) // DAY * DAY
    found = cover(*sorted((_EPOCH + time_of_day, _EPOCH + midnight)))
    return midnight, [(each.grain, each.begin - _EPOCH, each.end - _EPOCH) for each in found]


def _within(begin: int, end: int, lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    if begin >= end:
        return []
    length, *finer = lengths
    low, high = -(-begin // length) * length, end // length * length
    if low >= high:
        return _within(begin, end, finer)
    return [*_within(begin, low, finer), (length, low, high), *_within(high, end, finer)]
