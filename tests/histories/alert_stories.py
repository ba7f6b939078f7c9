"""What happened in the golden histories of cost thresholds and alerts. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.alerts.crossing import RuleOfProcess, SpentCost, cross, scope_of
from domain.alerts.events import (
    AlertContributor,
    AlertCrossing,
    CostAlertAcknowledged,
    CostAlertActed,
    CostAlertDismissed,
    CostAlertRaised,
    CostAlertResolved,
    CostAlertSnoozed,
    CostThresholdCleared,
    CostThresholdSet,
    ThresholdLevel,
)
from domain.alerts.thresholds import rule_of
from domain.alerts.windows import CostWindow
from domain.event import Cause, Event, record
from domain.identity import process_id, thresholds_id

Told = tuple[UUID, list[Event]]

NAME = "golden-spending"
ID = process_id(NAME)
RUN = UUID("0192f0c1-0000-7000-8000-00000000c057")
BEGIN = datetime(2026, 12, 1, 8, tzinfo=UTC)
SEVERAL = [
    ThresholdLevel(Decimal("5.00"), "USD", Decimal("0.8")),
    ThresholdLevel(Decimal("9.5"), "USD", None, "pause_schedules"),
]


def _cause(hours: float) -> Cause:
    return Cause(BEGIN + timedelta(hours=hours), "user:ann", "request", "tie")


def _set(hours: float, kind: str, **more: Any) -> CostThresholdSet:
    facts = {"process_id": ID, "process": NAME, "kind": kind, "levels": SEVERAL, "source": "version", "version": 1}
    return record(CostThresholdSet, _cause(hours), **{**facts, **more})


def thresholds(_: Any) -> Told:
    """Stated by a version, replaced by a command, and cleared."""
    berlin = {"timezone": "Europe/Berlin", "week_starts": "sunday"}
    cleared = record(CostThresholdCleared, _cause(3), process_id=ID, process=NAME, kind="daily", reason="archived")
    return thresholds_id(ID), [
        _set(0, "daily"),
        _set(1, "weekly", counts_from=BEGIN, **berlin),
        _set(2, "daily", source="command", version=0, levels=SEVERAL[:1], **berlin),
        cleared,
    ]


def alert(_: Any) -> Told:
    """Raised in a window, acted for, acknowledged, snoozed and resolved."""
    rule = rule_of(_set(0, "daily"), 1)
    cost = SpentCost(90, ID, RUN, RUN, "work", BEGIN, BEGIN + timedelta(hours=1), Decimal("2"), "USD")
    scope = scope_of(rule, cost)
    assert scope is not None
    (crossed,) = cross(RuleOfProcess(ID, NAME, rule), scope, Decimal("8"), cost)
    return crossed.alert_id, [
        record(CostAlertRaised, _cause(1), **crossed.facts()),  # type: ignore[union-attr]
        record(CostAlertActed, _cause(2), act="pause_schedules", done=2, refusal="one was removed"),
        record(CostAlertAcknowledged, _cause(3), note="seen"),
        record(CostAlertSnoozed, _cause(4), until=BEGIN + timedelta(hours=6), note="after lunch"),
        record(CostAlertResolved, _cause(5), reason="correction", from_correction=True),
    ]


def alert_dismissed(_: Any) -> Told:
    """Raised late for an execution by a correction, and dismissed."""
    raised = record(
        CostAlertRaised,
        _cause(0),
        process_id=ID,
        process=NAME,
        kind="per_execution",
        rule=2,
        level="warning",
        amount=Decimal("0.080"),
        limit=Decimal("0.10"),
        currency="EUR",
        source="command",
        version=3,
        execution_id=RUN,
        window=CostWindow(BEGIN, BEGIN + timedelta(days=1), "Europe/Berlin"),
        crossing=AlertCrossing(91, RUN, "work"),
        before=Decimal("0.07"),
        after=Decimal("0.0800"),
        contributors=[AlertContributor(NAME, "work", Decimal("0.0800"), 3)],
        unpriced=2,
        from_correction=True,
        late=True,
        on_alert="cancel_execution",
        resolves_at=BEGIN + timedelta(days=2),
    )
    return UUID("0192f0c1-0000-7000-8000-00000000a1e7"), [raised, record(CostAlertDismissed, _cause(1), note="known")]


STORIES: dict[str, Callable[[Any], Told]] = {
    "cost-thresholds": thresholds,
    "cost-alert": alert,
    "cost-alert-dismissed": alert_dismissed,
}
