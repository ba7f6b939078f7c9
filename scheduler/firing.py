"""Timers that are due become decisions: many in one append, the next batch decided while the last is on its way."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from commands.states import ExecutionStates
from domain.event import Cause
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.outcomes import ABANDONS_ATTEMPT
from domain.executions.state.model import Execution
from scheduler.appending import Again, Appending, Work
from scheduler.batch import Batch
from scheduler.calling import Attempt
from store.datastore import OwnConnection
from store.lists import due_timers
from store.lists.due_timers import Due

MAX_CLAIM = 2_000
BATCH = 250
# So long before timers are due they are taken in hand and their executions' states are read: when they are due, all
# that is left to do is to decide.
AHEAD = timedelta(seconds=1)


class Firing:
    """Fires timers for one worker, on the worker's thread.

    room: how many attempts it may take at once now.
    """

    def __init__(
        self,
        worker_id: UUID,
        states: ExecutionStates,
        appending: Appending,
        connection: OwnConnection,
        room: Callable[[], int],
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._states = states
        self._appending = appending
        self._connection = connection
        self._room = room
        self._held: list[tuple[datetime, Due]] = []

    def fire_due(self) -> datetime | None:
        """Fire everything that is due and that nobody else has in hand; when to look again, None if none waits."""
        self._fire_held()
        with self._connection.borrow() as connection:
            now = datetime.now(UTC)
            claimed = due_timers.claim(connection, now, now + AHEAD, MAX_CLAIM)
        self._held += claimed
        self._fire_held()
        if len(claimed) == MAX_CLAIM:
            return datetime.now(UTC)
        self._states.load(execution_id for _, (execution_id, _, _) in self._held)
        return self._look_at()

    def release(self) -> None:
        """Let others fire what is in hand."""
        if self._held:
            with self._connection.borrow() as connection:
                due_timers.release(connection, [due for _, due in self._held])
            self._held = []

    def _look_at(self) -> datetime | None:
        with self._connection.borrow() as connection:
            next_due = due_timers.next_due(connection)
        times = [due_at for due_at, _ in self._held]
        if next_due is not None:
            times.append(next_due - AHEAD)
        return min(times, default=None)

    def _fire_held(self) -> None:
        now = datetime.now(UTC)
        due = [timer for due_at, timer in self._held if due_at <= now]
        self._held = [held for held in self._held if held[0] > now]
        for begin in range(0, len(due), BATCH):
            self._fire(due[begin : begin + BATCH])

    def _fire(self, timers: list[Due]) -> None:
        batch, idle = self._decide(timers, fresh=False)
        if idle:
            self._fire_afresh(idle)
        # However many batches wait for the one before: what a timer waits for is the decision.
        self._appending.later(Work(batch, lambda again: self._after(timers, again), lambda: None))

    def _after(self, timers: list[Due], again: Again) -> None:
        if again:
            self._fire_afresh([due for due in timers if due[0] in again])

    def _fire_afresh(self, timers: list[Due]) -> None:
        """Decide on states read again from the log; a timer that it does not know is struck off."""
        while timers:
            batch, idle = self._decide(timers, fresh=True)
            again = self._appending.now(batch)
            self._drop([due for due in idle if self._is_over(due, batch)])
            timers = [due for due in timers if due[0] in again]

    def _decide(self, timers: list[Due], *, fresh: bool) -> tuple[Batch, list[Due]]:
        loaded = self._states.load((execution_id for execution_id, _, _ in timers), fresh=fresh)
        batch = Batch(loaded, self._worker_id)
        return batch, [due for due in timers if not batch.decide(due[0], self._firing(due, batch))]

    def _firing(self, due: Due, batch: Batch) -> Callable[[Execution], Unfolding]:
        _, step, kind = due
        cause = Cause(datetime.now(UTC), self._actor, causation=f"{kind}:{step}")
        take = self._room() - batch.taking - self._appending.taking
        return lambda execution: fire_timer(execution, step, kind, cause, take)

    def _is_over(self, due: Due, batch: Batch) -> bool:
        """Whether the log does not hold the timer; one whose execution this worker cannot read may still be due."""
        return due[0] not in self._states.left_alone and not _has(batch.loaded.get(due[0]), due)

    def _drop(self, timers: list[Due]) -> None:
        if timers:
            with self._connection.borrow() as connection:
                due_timers.drop(connection, datetime.now(UTC), timers)


def given_up(batch: Batch) -> list[Attempt]:
    """The attempts that a batch ended without an answer: their calls are of no use any more."""
    events: Iterator[tuple[UUID, Any]] = (
        (id, event) for id, event in batch.recorded() if type(event) in ABANDONS_ATTEMPT
    )
    return [(id, event.step, event.attempt) for id, event in events]


def _has(execution: Execution | None, due: Due) -> bool:
    return execution is not None and (due[1], due[2]) in execution.timers
