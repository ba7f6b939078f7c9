"""The cover of a period by days, hours and quarters of an hour in UTC: the fewest rows of rollups that add up to it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
GRAINS = (DAY, HOUR, QUARTER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class GrainRange(msgspec.Struct, frozen=True):
    """Whole rollups of one grain, from the one that begins at `begin` until, without it, the one at `end`."""

    grain: timedelta
    begin: datetime
    end: datetime


def cover(begin: datetime, end: datetime) -> list[GrainRange]:
    """Return the ranges that add up to a period, each instant in exactly one, in order.

    The bounds are taken at the quarter of an hour in which they lie: every zone of today has its midnights there.
    """
    return _within(_floor(begin, QUARTER), _floor(end, QUARTER), GRAINS)


def cover_each(bounds: Sequence[datetime]) -> list[GrainRange]:
    """Return the cover of the periods between consecutive bounds: no rollup lies in two of them."""
    return _joined(each for begin, end in pairwise(bounds) for each in cover(begin, end))


def _within(begin: datetime, end: datetime, grains: Sequence[timedelta]) -> list[GrainRange]:
    grain, *finer = grains
    if begin >= end:
        return []
    first, last = _ceiling(begin, grain), _floor(end, grain)
    if first < last:
        whole = [GrainRange(grain, first, last)]
        return whole if not finer else [*_within(begin, first, finer), *whole, *_within(last, end, finer)]
    return _within(begin, end, finer)


def _joined(ranges: Iterable[GrainRange]) -> list[GrainRange]:
    found: list[GrainRange] = []
    for each in ranges:
        if found and found[-1].grain == each.grain and found[-1].end == each.begin:
            found[-1] = GrainRange(each.grain, found[-1].begin, each.end)
        else:
            found.append(each)
    return found


def _floor(at: datetime, grain: timedelta) -> datetime:
    return at - (at - _EPOCH) % grain


def _ceiling(at: datetime, grain: timedelta) -> datetime:
    return at + (_EPOCH - at) % grain
