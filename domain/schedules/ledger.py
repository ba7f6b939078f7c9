"""The ledger of a schedule: what became of each expected instant, from its events."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from domain.event import Event
from domain.schedules.events import (
    OccurrenceEvent,
    ScheduleFired,
    ScheduleOccurrenceBackfilled,
    ScheduleOccurrenceCoalesced,
    ScheduleOccurrenceHeld,
    ScheduleOccurrenceMissed,
    ScheduleOccurrenceMoved,
    ScheduleOccurrenceSkipped,
)

OccurrenceOutcome = Literal["started", "skipped", "missed", "coalesced", "backfilled", "moved", "waiting"]
OUTCOMES: tuple[OccurrenceOutcome, ...] = ("started", "skipped", "missed", "coalesced", "backfilled", "moved")

_OUTCOMES: dict[type[OccurrenceEvent], OccurrenceOutcome] = {
    ScheduleFired: "started",
    ScheduleOccurrenceSkipped: "skipped",
    ScheduleOccurrenceMissed: "missed",
    ScheduleOccurrenceCoalesced: "coalesced",
    ScheduleOccurrenceBackfilled: "backfilled",
    ScheduleOccurrenceMoved: "moved",
    ScheduleOccurrenceHeld: "waiting",
}


class Occurrence(msgspec.Struct, frozen=True):
    """An expected instant with its outcome, the last that its events state; ``waiting`` is none yet.

    started_at, execution_id, lateness (seconds): of the execution it started. to: where it moved to, or the instant
    that stands for it. version: of the process, whose rule expected it.
    """

    scheduled_at: datetime
    outcome: OccurrenceOutcome
    version: int
    reason: str = ""
    execution_id: UUID | None = None
    started_at: datetime | None = None
    lateness: float | None = None
    to: datetime | None = None


def occurrence(event: OccurrenceEvent) -> Occurrence:
    """Return what the event makes of its instant."""
    outcome = _OUTCOMES[type(event)]
    started = isinstance(event, ScheduleFired | ScheduleOccurrenceBackfilled)
    to = getattr(event, "to", None) or getattr(event, "into", None)
    return Occurrence(
        event.scheduled_at,
        outcome,
        event.version,
        reason=getattr(event, "reason", ""),
        execution_id=getattr(event, "execution_id", None),
        started_at=event.at if started else None,
        lateness=getattr(event, "lateness", None),
        to=to,
    )


def occurrences(events: Iterable[Event]) -> dict[datetime, Occurrence]:
    """Return the outcome of every expected instant, by its time."""
    return {event.scheduled_at: occurrence(event) for event in events if isinstance(event, OccurrenceEvent)}


def balance(found: Iterable[Occurrence]) -> dict[str, int]:
    """Return how many instants were expected, and how many of them came to each outcome; the two agree."""
    counts = Counter(each.outcome for each in found)
    expected = sum(counts[outcome] for outcome in OUTCOMES)
    return {"expected": expected, **{outcome: counts[outcome] for outcome in OUTCOMES}}
