"""Timers that are due become decisions, many in one append."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from commands.states import ExecutionStates
from domain.event import Cause
from domain.executions.events import StepCancelled, StepHeartbeatMissed, StepTimedOut
from domain.executions.execution import Execution
from domain.executions.firing import fire_timer
from domain.executions.unfolding import Unfolding
from scheduler.batch import Batch
from scheduler.calling import Attempt
from store import due_timers
from store.datastore import OwnConnection
from store.due_timers import Due
from store.log import Log

MAX_FIRE = 500
# The events after which an agent's answer to the attempt is not waited for any longer.
GIVES_UP = (StepTimedOut, StepCancelled, StepHeartbeatMissed)


class Firing:
    """Fires timers for one worker. room: how many attempts it may take at once now."""

    def __init__(
        self, worker_id: UUID, log: Log, states: ExecutionStates, connection: OwnConnection, room: Callable[[], int]
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._log = log
        self._states = states
        self._connection = connection
        self._room = room

    def claim(self) -> list[Due]:
        """Take timers in hand that are due and that nobody has; fewer than MAX_FIRE means that there are no more."""
        with self._connection.borrow() as connection:
            return due_timers.claim(connection, datetime.now(UTC), MAX_FIRE)

    def next_due(self) -> datetime | None:
        """When the next timer is due that nobody has in hand."""
        with self._connection.borrow() as connection:
            return due_timers.next_due(connection)

    def fire(self, claimed: list[Due]) -> Iterator[Batch]:
        """Decide and record what follows; yields each batch once recorded. A timer unknown to the log is dropped."""
        todo, fresh = claimed, False
        while todo:
            loaded = self._states.load((execution_id for execution_id, _, _ in todo), fresh=fresh)
            batch = Batch(loaded, self._worker_id)
            idle = [due for due in todo if not batch.decide(due[0], self._firing(due, batch))]
            again = batch.append(self._log, self._states)
            yield batch
            if fresh:
                self._drop([due for due in idle if not _has(loaded.get(due[0]), due)])
                idle = []
            todo = [due for due in todo if due[0] in again] + idle
            fresh = True

    def _firing(self, due: Due, batch: Batch) -> Callable[[Execution], Unfolding]:
        _, step, kind = due
        cause = Cause(datetime.now(UTC), self._actor, causation=f"{kind}:{step}")
        take = self._room() - batch.taking
        return lambda execution: fire_timer(execution, step, kind, cause, take)

    def _drop(self, timers: list[Due]) -> None:
        if timers:
            with self._connection.borrow() as connection:
                due_timers.drop(connection, datetime.now(UTC), timers)


def given_up(batch: Batch) -> list[Attempt]:
    """The attempts that a batch ended without an answer: their calls are of no use any more."""
    return [(id, event.step, event.attempt) for id, event in batch.events() if isinstance(event, GIVES_UP)]


def _has(execution: Execution | None, due: Due) -> bool:
    return execution is not None and (due[1], due[2]) in execution.timers
