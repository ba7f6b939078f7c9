"""Decisions about one alert: pure functions from state, request and time to events, or a refusal."""

from datetime import datetime

from domain.alerts.alert import ACKNOWLEDGED, OVER, RESOLVED, CostAlert
from domain.alerts.crossing import Crossed
from domain.alerts.events import (
    CostAlertAcknowledged,
    CostAlertActed,
    CostAlertDismissed,
    CostAlertRaised,
    CostAlertResolved,
    CostAlertSnoozed,
)
from domain.event import Cause, Event, record
from domain.refusal import Forbidden, Malformed, Problem

CORRECTION = "correction"


def raise_alert(alert: CostAlert | None, crossed: Crossed, cause: Cause) -> list[Event]:
    """Raise an alert once: again only after a correction had resolved it."""
    if alert is not None and not (alert.status == RESOLVED and alert.reason == CORRECTION):
        return []
    return [record(CostAlertRaised, cause, **crossed.facts())]


def resolve_alert(alert: CostAlert, reason: str, cause: Cause) -> list[Event]:
    """End an alert; returns no events when it is over."""
    if alert.status in OVER:
        return []
    return [record(CostAlertResolved, cause, reason=reason, from_correction=reason == CORRECTION)]


def note_act(alert: CostAlert, act: str, done: int, refusal: str, cause: Cause) -> list[Event]:
    """Note what was done for the alert, once."""
    return [] if alert.acted else [record(CostAlertActed, cause, act=act, done=done, refusal=refusal)]


def acknowledge_alert(alert: CostAlert, note: str, cause: Cause) -> list[Event]:
    """Acknowledge the alert; returns no events when it is acknowledged. Raises Forbidden ``alert_over``."""
    _refuse_over(alert)
    return [] if alert.status == ACKNOWLEDGED else [record(CostAlertAcknowledged, cause, note=note)]


def dismiss_alert(alert: CostAlert, note: str, cause: Cause) -> list[Event]:
    """Dismiss the alert; returns no events when it is dismissed. Raises Forbidden ``alert_over``."""
    if alert.status in OVER and alert.status != RESOLVED:
        return []
    _refuse_over(alert)
    return [record(CostAlertDismissed, cause, note=note)]


def snooze_alert(alert: CostAlert, until: datetime, note: str, cause: Cause) -> list[Event]:
    """Let the alert be open again at `until`. Raises Malformed for a time that is over, Forbidden ``alert_over``."""
    _refuse_over(alert)
    if until <= cause.at:
        problem = Problem("invalid_value", "a snooze ends in the future", "until")
        raise Malformed(problem.message, [problem])
    return [] if alert.until == until else [record(CostAlertSnoozed, cause, until=until, note=note)]


def _refuse_over(alert: CostAlert) -> None:
    if alert.status in OVER:
        raise Forbidden(f"the alert is {alert.status}", code="alert_over")
