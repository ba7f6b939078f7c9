"""Commands of operators on executions that are set aside: try one again at once, cancel one even where it breaks."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from commands.closing import TOPICS, closing
from commands.command import Command, CommandScope, ExecutionId, Note
from commands.deciding import Contended, DecisionBroke, Identified, persist, unidentified
from commands.executions import CancelExecution, Executions
from commands.plans import Plans
from commands.receipt import Receipt
from domain.event import Cause, record
from domain.executions.decisions.refusals import ExecutionEndedAlready, NotSetAside
from domain.executions.events.execution import ExecutionCancelled, ExecutionStarted
from domain.executions.state.slot import Slot
from domain.refusal import Forbidden, NotFound
from store.listening import LOG_CHANNEL
from store.lists import set_aside
from store.lists.alerts_aside import is_alert
from store.lists.set_aside import RawStream, read_raw, read_raw_events
from store.log import Log
from store.mapper import decode
from store.unit import DatabaseFailure, Unit, UnitRefused

logger = logging.getLogger(__name__)


class RetrySetAside(Command, frozen=True):
    """Try an execution that is set aside again at once. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    execution_id: ExecutionId
    reason: Note = ""


class CancelSetAside(Command, frozen=True):
    """Cancel an execution that is set aside. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    execution_id: ExecutionId
    reason: Note = ""


class CannotCancel(Forbidden):
    """The execution cannot be cancelled, not even without a decision of the engine."""

    code = "cannot_cancel"


class SetAsideCommands:
    """The handlers of the commands above. Both raise NotSetAside."""

    def __init__(self, log: Log, executions: Executions, plans: Plans) -> None:
        self._log = log
        self._plans = plans
        self._executions = executions

    def retry(self, command: RetrySetAside, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Make an execution and its rows, or an alert, due at once. Record no event, log who did so."""
        id = command.execution_id
        with self._log.datastore.reading() as connection:
            if not set_aside.try_now(connection, id, LOG_CHANNEL):
                raise _not_set_aside(id)
        logger.info("%s has execution %s tried again: %s", cause.actor, id, command.reason)
        return persist(self._log, lambda: self._answer(_receipt(id), identified), id)

    def cancel(self, command: CancelSetAside, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Cancel the execution; if its decision breaks, record the end without the engine. Raises CannotCancel too.

        An execution that has ended already leaves the list.
        """
        id = command.execution_id
        with self._log.datastore.reading() as connection:
            if not set_aside.is_set_aside(connection, id):
                raise _not_set_aside(id)
            if is_alert(connection, id):
                raise CannotCancel(f"{id} is a cost alert that is set aside: try it again, or dismiss the alert")
        try:
            receipt = self._executions.cancel(CancelExecution(id, command.reason), cause, identified)
            if not receipt.duplicate:
                return receipt
        except (Contended, DecisionBroke, ExecutionEndedAlready, NotFound):
            # The raw stream shows whether it has ended, or never begun.
            receipt = persist(self._log, lambda: self._end(id, command.reason, cause, identified), id)
        with self._log.datastore.reading() as connection:
            set_aside.strike(connection, id)
        return receipt

    def _end(self, id: UUID, reason: str, cause: Cause, identified: Identified) -> Receipt:
        """Record that the execution is cancelled, and what it leaves open, on the raw events of its stream."""
        with self._log.datastore.reading() as connection:
            raw = read_raw(connection, id)
            if raw is None:
                raise CannotCancel(f"execution {id} has not begun; cancel the execution that starts it")
            if raw.ended:
                return self._answer(_receipt(id, duplicate=True), identified)
            started = _started(id, raw)
            closed = closing(read_raw_events(connection, id, TOPICS), cause, self._closes(started))
        facts: dict[str, Any] = {
            "process_id": started.process_id,
            "version": started.version,
            "started_at": started.at,
            "reports_to": started.parent.execution_id if started.parent is not None and started.parent.waits else None,
            "schedule_id": started.trigger.schedule_id,
        }
        event = record(ExecutionCancelled, cause, reason=reason, **facts)
        receipt = _receipt(id)
        slot = Slot(started.process_id, "left")
        unit = Unit(id, raw.version, [*closed, event], answered=identified(receipt), slot=slot)
        try:
            return msgspec.structs.replace(receipt, position=self._log.append(unit))
        except UnitRefused as error:
            raise CannotCancel(f"the database refuses the end of execution {id}: {error}") from error

    def _closes(self, started: ExecutionStarted) -> Callable[[str], bool]:
        """Return which steps have their children cancelled with the execution; all where its version is unreadable."""
        try:
            steps = self._plans.get(started.process_id, started.version, started.body).steps
        except DatabaseFailure:
            raise
        except Exception:
            logger.exception("version %s of process %s cannot be read", started.version, started.process_id)
            return lambda _step: True
        return lambda step: getattr(steps.get(step), "on_parent_close", "cancel") == "cancel"

    def _answer(self, receipt: Receipt, identified: Identified) -> Receipt:
        """Return the receipt of a command that records no event, kept under its key if it has one."""
        answered = identified(receipt)
        if answered is None:
            return msgspec.structs.replace(receipt, position=self._log.last_position())
        unit = Unit(receipt.stream, 0, [], answered=answered)
        return msgspec.structs.replace(receipt, position=self._log.append(unit))


def _started(id: UUID, raw: RawStream) -> ExecutionStarted:
    try:
        event = decode(raw.first_topic, raw.first_state)
    except (LookupError, msgspec.MsgspecError) as error:
        raise CannotCancel(f"the first event of execution {id} cannot be read: {error}") from error
    if not isinstance(event, ExecutionStarted):
        raise CannotCancel(f"the log lacks the first event of execution {id}")
    return event


def _receipt(id: UUID, *, duplicate: bool = False) -> Receipt:
    return Receipt(id, 0, {"execution_id": str(id)}, duplicate=duplicate)


def _not_set_aside(id: UUID) -> NotSetAside:
    return NotSetAside(f"execution {id} is not set aside")
