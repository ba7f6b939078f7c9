"""Acknowledge, dismiss and snooze cost alerts."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from commands.command import Beside, Command, CommandScope, Note
from commands.deciding import Identified, decide, unidentified
from commands.receipt import Receipt
from domain.alerts.alert import CostAlert
from domain.alerts.alert import fold as fold_alert
from domain.alerts.decisions import (
    acknowledge_alert,
    dismiss_alert,
    snooze_alert,
)
from domain.alerts.events import CostAlertRaised
from domain.event import Cause, Event
from domain.refusal import NotFound
from store.log import Log

_COSTS = "costs."
AlertId = Annotated[UUID, Beside("alert")]


class AcknowledgeCostAlert(Command, frozen=True):
    """Note that a user has seen the alert. note: for people."""

    scope = CommandScope.ALERTS_WRITE
    alert_id: AlertId
    note: Note = ""


class DismissCostAlert(Command, frozen=True):
    """End the alert; its window, or its execution, raises no other one at this level. note: for people."""

    scope = CommandScope.ALERTS_WRITE
    alert_id: AlertId
    note: Note = ""


class SnoozeCostAlert(Command, frozen=True):
    """Let the alert be open again at `until`. note: for people."""

    scope = CommandScope.ALERTS_WRITE
    alert_id: AlertId
    until: datetime
    note: Note = ""


class Alerts:
    """The handlers of the commands above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def acknowledge(
        self, command: AcknowledgeCostAlert, cause: Cause, identified: Identified = unidentified
    ) -> Receipt:
        """Acknowledge the alert. Raises NotFound or Forbidden ``alert_over``."""
        return self._of_alert(command.alert_id, lambda alert: acknowledge_alert(alert, command.note, cause), identified)

    def dismiss(self, command: DismissCostAlert, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Dismiss the alert. Raises NotFound or Forbidden ``alert_over``."""
        return self._of_alert(command.alert_id, lambda alert: dismiss_alert(alert, command.note, cause), identified)

    def snooze(self, command: SnoozeCostAlert, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Snooze the alert. Raises NotFound, Malformed for a time that is over, or Forbidden ``alert_over``."""
        return self._of_alert(
            command.alert_id,
            lambda alert: snooze_alert(alert, command.until, command.note, cause),
            identified,
        )

    def _of_alert(self, id: UUID, decision: Callable[[CostAlert], list[Event]], identified: Identified) -> Receipt:
        def present(alert: CostAlert | None) -> list[Event]:
            if alert is None:
                raise NotFound(f"there is no cost alert {id}")
            return decision(alert)

        return decide(
            self._log,
            id,
            lambda events: fold_alert(events) if events and isinstance(events[0], CostAlertRaised) else None,
            present,
            facts=lambda _before, _new: {"alert_id": str(id)},
            identified=identified,
        )
