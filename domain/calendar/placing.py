"""Times on a clock, placed on the line of instants, also those that clocks skip, or show twice."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

Gap = Literal["shift", "skip"]
TwiceShown = Literal["first", "second", "both"]

IN_GAP, IN_OVERLAP = "dst_gap", "dst_overlap"
_SECOND = timedelta(seconds=1)
# No zone is further from UTC.
_FURTHEST = timedelta(days=1)

PlacedTime = tuple[datetime, str | None]
"""(instant in UTC, flag)"""


def place(wall: datetime, zone: ZoneInfo, gap: Gap, overlap: TwiceShown) -> list[PlacedTime]:
    """Return the instants at which clocks in `zone` show `wall`, a time without a zone, as the policies say.

    A time in a gap is taken at the first instant after the gap, or not at all; of a time that exists twice its first
    instant, its second or both. Near the years 1 and 9999, where there is no instant, return none.
    """
    first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
    before, after = _offset(first), _offset(second)
    try:
        if before == after:
            return [(first.astimezone(UTC), None)]
        if before < after:
            return [] if gap == "skip" else [(_end_of_gap(wall, zone, before, after), IN_GAP)]
        both: list[PlacedTime] = [(first.astimezone(UTC), IN_OVERLAP), (second.astimezone(UTC), IN_OVERLAP)]
    except OverflowError:
        return []
    return {"first": both[:1], "second": both[1:], "both": both}[overlap]


@lru_cache(20_000)
def offsets_around(day: date, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Return the least and the greatest offset that clocks in `zone` have within two days of a date.

    They are equal, except near a change of the clock, and near the years 1 and 9999.
    """
    try:
        midnights = [datetime.combine(day + timedelta(days), time(), UTC) for days in range(-2, 4)]
        offsets = {_offset(each.astimezone(zone)) for each in midnights}
    except OverflowError:
        return -_FURTHEST, _FURTHEST
    return min(offsets), max(offsets)


def _end_of_gap(wall: datetime, zone: ZoneInfo, before: timedelta, after: timedelta) -> datetime:
    """Return the instant of the change in whose gap `wall` lies: the first one with the offset after it."""
    line = wall.replace(tzinfo=UTC)
    early, late = line - after, line - before
    while late - early > _SECOND:
        middle = early + ((late - early) // 2 // _SECOND) * _SECOND
        if _offset(middle.astimezone(zone)) == before:
            early = middle
        else:
            late = middle
    return late


def _offset(time: datetime) -> timedelta:
    offset = time.utcoffset()
    assert offset is not None
    return offset
