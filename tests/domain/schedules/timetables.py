"""A timetable that needs no calendar: an instant every so often, of which some are exceptions."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.event import Cause, Event
from domain.schedules.events import ScheduleOccurrenceBackfilled, ScheduleOccurrenceSkipped, SchedulePaused
from domain.schedules.ledger import Occurrence, occurrence
from domain.schedules.schedule import Registration
from domain.schedules.terms import ExpectedInstant, Terms

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROCESS = UUID(int=7)


class PlainInstant(NamedTuple):
    """Implements `ExpectedInstant`."""

    at: datetime
    fate: str = "run"
    to: datetime | None = None


class EverySo:
    """An instant each `every` from `anchor`; `fates` names those that are exceptions. last: none after it."""

    def __init__(
        self,
        anchor: datetime,
        every: timedelta,
        fates: Callable[[datetime], str] = lambda _at: "run",
        last: datetime | None = None,
        delay: timedelta = timedelta(),
    ) -> None:
        self._anchor = anchor
        self._every = every
        self._fates = fates
        self._last = last
        self._delay = delay

    def after(self, instant: datetime) -> Iterator[ExpectedInstant]:
        n = max(1, (instant - self._anchor) // self._every + 1)
        while self._last is None or self._anchor + n * self._every <= self._last:
            at = self._anchor + n * self._every
            fate = self._fates(at)
            yield PlainInstant(at, fate, at + timedelta(days=1) if fate == "moved" else None)
            n += 1

    def due_at(self, instant: ExpectedInstant) -> datetime:
        return instant.at + self._delay


def terms_of(registration: Registration) -> Terms:
    """Return the terms of a rule as `rule` below writes it."""
    rule = registration.rule
    every = timedelta(minutes=rule["every"])
    exceptions = rule.get("exceptions", 0)

    def fates(at: datetime) -> str:
        number = (at - NOON) // timedelta(minutes=1)
        return ("skipped", "coalesced")[number % 2] if exceptions and number % exceptions == 0 else "run"

    return Terms(
        EverySo(registration.anchor, every, fates, rule.get("last")),
        overlap=rule.get("overlap", "allow"),
        catch_up=rule.get("catch_up", "latest"),
        catch_up_window=timedelta(minutes=rule.get("window", 60)),
        pause_after=rule.get("pause_after"),
    )


def rule(every: int = 1, **more: Any) -> dict[str, Any]:
    """Return a rule with an instant every so many minutes."""
    return {"id": "tick", "every": every, **more}


def at(minutes: float, actor: str = "worker:1") -> Cause:
    """Return a cause so many minutes after noon."""
    return Cause(NOON + timedelta(minutes=minutes), actor)


def skipped_by_pause(events: Iterable[Event]) -> list[Occurrence]:
    """Return the instants that the last pause has skipped and no backfill has started since: by all events."""
    found: dict[datetime, Occurrence] = {}
    for event in events:
        if isinstance(event, SchedulePaused):
            found = {}
        elif isinstance(event, ScheduleOccurrenceSkipped) and event.reason == "paused":
            found[event.scheduled_at] = occurrence(event)
        elif isinstance(event, ScheduleOccurrenceBackfilled):
            found.pop(event.scheduled_at, None)
    return [found[at] for at in sorted(found)]
