"""The grains of rollups in UTC: a quarter of an hour, an hour, a day and sixteen days.

Every midnight of today's zones begins a quarter of an hour; a long window is mostly spans of sixteen days. A day of a
zone is a day of UTC, of which a few hours are added or taken: those are mostly spans of six hours.
"""

from datetime import UTC, datetime, timedelta

QUARTER, HOUR, SIX_HOURS = timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6)
DAY, SIXTEEN_DAYS = timedelta(days=1), timedelta(days=16)
GRAINS = (QUARTER, HOUR, DAY, SIXTEEN_DAYS)
DAY_GRAINS = (QUARTER, HOUR, SIX_HOURS, DAY)
"""The grains of the rollups of which the figures of days are made."""
ALL_GRAINS = tuple(sorted({*GRAINS, *DAY_GRAINS}))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minutes_of(grain: timedelta) -> int:
    """Return the length of a grain in minutes, which names it in rollups: 15, 60, 360, 1440 or 23040."""
    return grain // timedelta(minutes=1)


def begin_of(at: datetime, grain: timedelta) -> datetime:
    """Return the beginning, in UTC, of the span of `grain` in which an instant lies."""
    return _EPOCH + (at - _EPOCH) // grain * grain
