"""The cover of a period by days, hours and quarters of an hour in UTC: the fewest rows of rollups that add up to it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from domain.analytics.grains import GRAINS, QUARTER, begin_of

COARSEST_FIRST = GRAINS[::-1]


class GrainRange(msgspec.Struct, frozen=True):
    """Whole rollups of one grain, from the one that begins at `begin` until, without it, the one at `end`."""

    grain: timedelta
    begin: datetime
    end: datetime


def cover(begin: datetime, end: datetime) -> list[GrainRange]:
    """Return the ranges that add up to a period, each instant in exactly one, in order.

    The bounds are taken at the quarter of an hour in which they lie: every zone of today has its midnights there.
    """
    return _within(begin_of(begin, QUARTER), begin_of(end, QUARTER), COARSEST_FIRST)


def cover_each(bounds: Sequence[datetime]) -> list[GrainRange]:
    """Return the cover of the periods between consecutive bounds: no rollup lies in two of them."""
    return _joined(each for begin, end in pairwise(bounds) for each in cover(begin, end))


def _within(begin: datetime, end: datetime, grains: Sequence[timedelta]) -> list[GrainRange]:
    grain, *finer = grains
    if begin >= end:
        return []
    first, last = _ceiling(begin, grain), begin_of(end, grain)
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


def _ceiling(at: datetime, grain: timedelta) -> datetime:
    begin = begin_of(at, grain)
    return begin if begin == at else begin + grain
