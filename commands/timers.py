"""Changes of timers by operators and agents: move one, fire one early, put one off by a heartbeat."""

from datetime import datetime
from typing import Annotated

import msgspec

from commands.command import Beside, Command, CommandScope, ExecutionId, Reason, StepReference
from commands.deciding import Identified, unidentified
from commands.executions import Executions
from commands.receipt import Receipt
from domain.event import Cause
from domain.executions.decisions import timer as firing
from domain.executions.engine.unfolding import Unfolding
from domain.executions.timers import HEARTBEAT, KINDS
from domain.refusal import NotFound
from domain.words import did_you_mean
from store.datastore import Datastore
from store.lists import due_timers


class MoveTimer(Command, frozen=True):
    """Make a timer due at another time. due_at: with an offset; a time in the past fires the timer at once.

    kind: one of `domain.executions.timers.KINDS`. reason: why, for people.
    """

    scope = CommandScope.TIMERS_WRITE
    execution_id: ExecutionId
    step: StepReference
    kind: Annotated[str, Beside()]
    due_at: datetime
    reason: Reason


class FireTimer(Command, frozen=True):
    """Fire a timer before it is due. kind: one of `domain.executions.timers.KINDS`. reason: why, for people."""

    scope = CommandScope.TIMERS_WRITE
    execution_id: ExecutionId
    step: StepReference
    kind: Annotated[str, Beside()]
    reason: Reason


class RecordHeartbeat(Command, frozen=True):
    """Record a heartbeat of an agent that will answer later."""

    scope = CommandScope.STEPS_ANSWER
    execution_id: ExecutionId
    step: StepReference
    attempt: Annotated[int, Beside()]


class TimerCommands:
    """The handlers of the commands above."""

    def __init__(self, executions: Executions, datastore: Datastore) -> None:
        self._executions = executions
        self._datastore = datastore

    def move(self, command: MoveTimer, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Set another time; one that is not in the future fires the timer.

        Raises NotFound, NoSuchTimer, ExecutionEndedAlready or TimerTooFar.
        """
        kind = _known(command.kind)
        return self._executions.decide(
            command.execution_id,
            lambda execution: firing.move_timer(execution, command.step, kind, command.due_at, command.reason, cause),
            identified,
        )

    def fire(self, command: FireTimer, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Fire a timer before it is due. Raises NotFound, NoSuchTimer or ExecutionEndedAlready."""
        kind = _known(command.kind)
        return self._executions.decide(
            command.execution_id,
            lambda execution: firing.fire_timer_early(execution, command.step, kind, command.reason, cause),
            identified,
        )

    def heartbeat(self, command: RecordHeartbeat, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Put the attempt's heartbeat timer off, if it has one; record no event. No heartbeat is a duplicate.

        A worker that has claimed the timer already fires it all the same. Raises NotFound or StepNotRunning.
        """
        execution = self._executions.load(command.execution_id)
        until = firing.record_heartbeat(execution, command.step, command.attempt, cause.at)
        if until is not None:
            # An operator may have moved the timer further away than a heartbeat does.
            due_at = max(until, execution.timers[command.step, HEARTBEAT])
            with self._datastore.reading() as connection:
                due_timers.put_off(connection, (execution.id, command.step, HEARTBEAT), due_at)
        # The append records only the answer, if the command has a key.
        receipt = self._executions.decide(execution.id, lambda now: Unfolding(now, cause), identified)
        return msgspec.structs.replace(receipt, duplicate=False)


def _known(kind: str) -> str:
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"they are {', '.join(KINDS)}"
        raise NotFound(f"there are no timers of kind {kind[:80]!r}; {hint}")
    return kind
