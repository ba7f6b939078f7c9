"""The cover of a period by days, hours and quarters of an hour in UTC: the fewest rows of rollups that add up to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from domain.analytics.grains import GRAINS

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


def cover(begin: datetime, end: datetime) -> list[GrainRange]:
    """Return the ranges that add up to a period, each instant in exactly one, in order.

    The bounds are taken at the quarter of an hour in which they lie: every zone of today has its midnights there.
    """
    first, last = ((at - _EPOCH) // _SECOND // _FINEST * _FINEST for at in (begin, end))
    return [
        GrainRange(timedelta(seconds=length), _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high))
        for length, low, high in _within(first, last, _LENGTHS)
    ]


def whole_grain(bounds: Sequence[datetime]) -> timedelta | None:
    """Return the coarser of the grains of which every bound begins a span: a day or an hour; else None."""
    seconds = [(at - _EPOCH) // _SECOND for at in bounds]
    found = (length for length in _LENGTHS[:-1] if not any(at % length for at in seconds))
    return next((timedelta(seconds=length) for length in found), None)


def _within(begin: int, end: int, lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    if begin >= end:
        return []
    length, *finer = lengths
    low, high = -(-begin // length) * length, end // length * length
    if low >= high:
        return _within(begin, end, finer)
    return [*_within(begin, low, finer), (length, low, high), *_within(high, end, finer)]
