"""The cover of a period by the spans of the grains, in UTC: the fewest rows of rollups that add up to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import msgspec

from domain.analytics.grains import DAY, DAY_GRAINS, GRAINS

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


class Leg(msgspec.Struct, frozen=True):
    """Whole rollups of one grain, by their distance from a midnight; where begin is after end, to be taken away."""

    grain: timedelta
    begin: timedelta
    end: timedelta


def near_midnights(bounds: Sequence[datetime]) -> tuple[list[datetime], list[tuple[Leg, ...]]]:
    """Return for each bound, in UTC, the midnight that is nearest, and the legs from the earlier of them to the later.

    So a day of a zone is the days of UTC between two such midnights, corrected at both ends.
    """
    midnights, ends = list[datetime](), list[tuple[Leg, ...]]()
    for at in bounds:
        before = at.replace(hour=0, minute=0, second=0, microsecond=0)
        midnight, legs = _to_midnight(at - before)
        midnights.append(before + midnight)
        ends.append(legs)
    return midnights, ends


@lru_cache(1_000)
def _to_midnight(time_of_day: timedelta) -> tuple[timedelta, tuple[Leg, ...]]:
    """Return the midnight that is nearest, from the one before, and the legs.

    Each grain, the coarsest first, leads to its span that begins nearest to the time: so few spans do.
    """
    midnight = _nearest(time_of_day, DAY)
    finest = DAY_GRAINS[0]
    time = time_of_day // finest * finest
    points = [_nearest(time, grain) - midnight for grain in reversed(DAY_GRAINS)]
    legs = [Leg(grain, *ends) for grain, ends in zip(reversed(DAY_GRAINS[:-1]), pairwise(points), strict=True)]
    if time < midnight:
        legs = [Leg(each.grain, each.end, each.begin) for each in reversed(legs)]
    return midnight, tuple(each for each in legs if each.begin != each.end)


def _nearest(time: timedelta, grain: timedelta) -> timedelta:
    return (time + grain / 2) // grain * grain


def _within(begin: int, end: int, lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    if begin >= end:
        return []
    length, *finer = lengths
    low, high = -(-begin // length) * length, end // length * length
    if low >= high:
        return _within(begin, end, finer)
    return [*_within(begin, low, finer), (length, low, high), *_within(high, end, finer)]
