"""The state of one cost alert: the fold of its events."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.alerts.events import (
    CostAlertAcknowledged,
    CostAlertActed,
    CostAlertDismissed,
    CostAlertRaised,
    CostAlertResolved,
    CostAlertSnoozed,
)
from domain.event import Event

OPEN, ACKNOWLEDGED, SNOOZED, DISMISSED, RESOLVED = "open", "acknowledged", "snoozed", "dismissed", "resolved"
STATUSES = (OPEN, ACKNOWLEDGED, SNOOZED, DISMISSED, RESOLVED)
OVER = frozenset((DISMISSED, RESOLVED))


class CostAlert(msgspec.Struct, frozen=True):
    """A cost alert now. raised: the last time. until: of a snooze. reason: of the end. version: of its stream."""

    raised: CostAlertRaised
    status: str = OPEN
    until: datetime | None = None
    reason: str = ""
    acted: bool = False
    version: int = 0


def evolve(alert: CostAlert | None, event: Event) -> CostAlert:
    """Return the state after `event`. Raises ValueError for an event that does not happen in this state."""
    version = 1 if alert is None else alert.version + 1
    if isinstance(event, CostAlertRaised):
        return CostAlert(event, version=version, acted=alert is not None and alert.acted)
    if alert is None:
        raise ValueError(f"{type(event).__name__} does not begin an alert")
    changes: dict[str, object] = {"version": version}
    match event:
        case CostAlertAcknowledged():
            changes |= {"status": ACKNOWLEDGED, "until": None}
        case CostAlertDismissed():
            changes |= {"status": DISMISSED, "until": None}
        case CostAlertSnoozed():
            changes |= {"status": SNOOZED, "until": event.until}
        case CostAlertResolved():
            changes |= {"status": RESOLVED, "until": None, "reason": event.reason}
        case CostAlertActed():
            changes |= {"acted": True}
        case _:
            raise ValueError(f"{type(event).__name__} does not happen to an alert")
    return msgspec.structs.replace(alert, **changes)


def fold(events: Iterable[Event]) -> CostAlert | None:
    """Return the alert after all events of its stream; None for none."""
    alert: CostAlert | None = None
    for event in events:
        alert = evolve(alert, event)
    return alert
