"""Events of the zone data; each class is stored under its own name for ever."""

from collections.abc import Iterable

from domain.event import Event, stored


@stored("ZoneDataAdopted")
class ZoneDataAdopted(Event, frozen=True, kw_only=True):
    """The next run of every schedule is worked out by this edition of the zone data.

    tzdata: its version. before: the version until then; empty when none was noted. schedules: how many were worked out
    anew. changed: how many of them have another next run; each has its ScheduleNextRunChanged.
    """

    tzdata: str
    before: str = ""
    schedules: int = 0
    changed: int = 0


def edition(events: Iterable[Event]) -> str:
    """Return the version that was adopted last; empty for none."""
    adopted = [event.tzdata for event in events if isinstance(event, ZoneDataAdopted)]
    return adopted[-1] if adopted else ""
