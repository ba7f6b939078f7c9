"""Carry out the act that the threshold of a cost alert requests, and note it."""

from uuid import UUID

from commands.deciding import DecisionBroke, decide
from commands.executions import CancelExecution, Executions
from commands.schedules import PauseSchedule, Schedules
from domain.alerts.alert import fold as fold_alert
from domain.alerts.decisions import note_act
from domain.alerts.events import CostAlertRaised
from domain.event import Cause
from domain.refusal import Refusal
from store.lists import due_schedules
from store.log import Log

PAUSE = "pause_schedules"


class AlertActs:
    """Acts by the commands that people use."""

    def __init__(self, log: Log, executions: Executions, schedules: Schedules) -> None:
        self._log = log
        self._executions = executions
        self._schedules = schedules

    def act(self, alert_id: UUID, cause: Cause) -> None:
        """Carry out the act that the threshold of an alert requests, and note it, once. Raises Unavailable."""
        alert = fold_alert(self._log.stream(alert_id))
        if alert is None or alert.acted:
            return
        raised = alert.raised
        done, refusal = 0, ""
        try:
            done = self._pause(raised, cause) if raised.on_alert == PAUSE else self._cancel(raised, cause)
        except (Refusal, DecisionBroke) as error:
            refusal = str(error)
        decide(
            self._log,
            alert_id,
            fold_alert,
            lambda now: [] if now is None else note_act(now, raised.on_alert, done, refusal, cause),
        )

    def _pause(self, raised: CostAlertRaised, cause: Cause) -> int:
        with self._log.datastore.reading() as connection:
            schedules = due_schedules.of_process(connection, raised.process_id)
        reason = f"the {raised.kind} costs reached {raised.amount} {raised.currency}"
        return sum(not self._schedules.pause(PauseSchedule(id, reason), cause).duplicate for id in schedules)

    def _cancel(self, raised: CostAlertRaised, cause: Cause) -> int:
        assert raised.execution_id is not None, "only a threshold per execution cancels"
        reason = f"its costs reached {raised.amount} {raised.currency}"
        return int(not self._executions.cancel(CancelExecution(raised.execution_id, reason), cause).duplicate)
