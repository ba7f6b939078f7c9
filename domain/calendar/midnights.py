"""The instant at which a date begins on the clocks of a zone."""

from datetime import UTC, date, datetime, time
from functools import lru_cache

from domain.calendar.placing import place
from domain.calendar.zones import parse_zone


@lru_cache(20_000)
def midnight(day: date, timezone: str) -> datetime:
    """Return the instant at which a date begins; where clocks skip midnight, the first instant after the gap.

    Where a midnight is shown twice, the first one begins the day.
    """
    placed = place(datetime.combine(day, time()), parse_zone(timezone), "shift", "first")
    return placed[0][0] if placed else datetime.combine(day, time(), UTC)
