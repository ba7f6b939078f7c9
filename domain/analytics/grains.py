"""The grains of rollups: a quarter of an hour, an hour and a day in UTC. Every midnight of today's zones begins one."""

from datetime import UTC, datetime, timedelta

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
GRAINS = (QUARTER, HOUR, DAY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minutes_of(grain: timedelta) -> int:
    """Return the length of a grain in minutes, which names it in rollups: 15, 60 or 1440."""
    return grain // timedelta(minutes=1)


def begin_of(at: datetime, grain: timedelta) -> datetime:
    """Return the beginning, in UTC, of the span of `grain` in which an instant lies."""
    return _EPOCH + (at - _EPOCH) // grain * grain
