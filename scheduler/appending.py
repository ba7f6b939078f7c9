"""Batches on their way into the log: what is in flight, and what happens once a batch has arrived."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from commands.states import ExecutionStates
from scheduler.batch import Batch
from scheduler.pipeline import DEPTH, Appended, Pipeline
from store.log import Log, Outcome

Again = set[UUID]
"""The executions of a batch that met a conflict: they are to be decided on afresh."""


class Work(msgspec.Struct):
    """A batch under way. then: called with what has to be decided afresh. lost: called when it failed unforeseen."""

    batch: Batch
    then: Callable[[Again], None]
    lost: Callable[[], None]


class Appending:
    """Appends for one worker, from the worker's own thread; `appended` hands results from the other thread back to it.

    recorded: what to do about a batch once it is recorded, such as beginning the attempts taken.
    in_flight: executions that are on their way; a decision on one of them would rest on a state that is not recorded.
    taking: attempts that batches on their way will take.
    """

    def __init__(
        self,
        log: Log,
        states: ExecutionStates,
        recorded: Callable[[Batch], None],
        appended: Callable[[Appended[Work]], None],
    ) -> None:
        self._log = log
        self._states = states
        self._recorded = recorded
        self._pipeline = Pipeline[Work](log, appended)
        self._outstanding = 0
        self.in_flight: set[UUID] = set()
        self.taking = 0

    def start(self) -> None:
        """Begin to append."""
        self._pipeline.start()

    def stop(self) -> None:
        """End the appending thread."""
        self._pipeline.stop()

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way."""
        return self._outstanding > 0

    @property
    def full(self) -> bool:
        """Whether another batch would only wait."""
        return self._outstanding >= DEPTH

    def now(self, batch: Batch) -> Again:
        """Append a batch and wait for it."""
        return self._settle(batch, self._log.append_all(batch.units()))

    def later(self, work: Work) -> None:
        """Append a batch while the caller goes on."""
        self.in_flight.update(work.batch.executions())
        self._outstanding += 1
        self.taking += work.batch.taking
        self._pipeline.submit(work, work.batch.units())

    def settle(self, appended: Appended[Work]) -> None:
        """A batch that was on its way has arrived. Raises what kept it from that, if nobody foresaw it."""
        work = appended.work
        self._outstanding -= 1
        self.taking -= work.batch.taking
        self.in_flight.difference_update(work.batch.executions())
        if appended.error is not None:
            work.lost()
            raise appended.error
        work.then(self._settle(work.batch, appended.outcomes))

    def _settle(self, batch: Batch, outcomes: list[Outcome]) -> Again:
        again = batch.settle(outcomes, self._states)
        self._recorded(batch)
        return again
