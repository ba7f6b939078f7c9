"""Batches on their way into the log: the streams in flight, and the work that follows an append."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import msgspec

from scheduler.batch import Batch
from scheduler.capacity import Tally
from scheduler.lists import Attempt
from scheduler.pipeline import DEPTH, Appended, Appender
from scheduler.setting_aside import SettingAside
from store.unit import StoreError, Unit
from store.waiting_units import Outcome

Again = Mapping[UUID, StoreError]
"""The streams of a batch that met a conflict or a lost connection; a duty decides on them afresh."""


class Work(msgspec.Struct):
    """A batch under way. then: called with the streams to decide afresh. lost: called after an unforeseen failure."""

    batch: Batch
    then: Callable[[Again], None]
    lost: Callable[[], None]


class Appending:
    """Appends for one worker, from the worker's own thread.

    recorded: called with each batch once it is recorded. aside: takes the executions of a batch that failed.
    in_flight: streams that are on their way; a decision on one of them would rest on a state that is not recorded.
    Few batches are on their way at once, and their streams are joined anew with each: of what a dictionary holds, a set
    takes the hashes over, and those of ids cost a call of Python each.
    taking: attempts that batches on their way will take, by agent.
    """

    def __init__(self, appender: Appender[Work], recorded: Callable[[Batch], None], aside: SettingAside) -> None:
        self._aside = aside
        self._appender = appender
        self._recorded = recorded
        self._on_the_way: list[Batch] = []
        self.in_flight: set[UUID] = set()
        self.taking = Tally()

    def start(self) -> None:
        """Begin to append."""
        self._appender.start()

    def stop(self) -> None:
        """End after the last batch submitted."""
        self._appender.stop()

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way."""
        return bool(self._on_the_way)

    @property
    def full(self) -> bool:
        """Whether another batch would only wait."""
        return len(self._on_the_way) >= DEPTH

    def attempts(self) -> set[Attempt]:
        """Return the attempts that batches on their way take."""
        taken = (each.taken() for batch in self._on_the_way for each in batch.streams().values())
        return {(execution.id, step, execution.steps[step].attempt) for some in taken for execution, step in some}

    def now(self, batch: Batch) -> Again:
        """Append a batch and wait for it."""
        return self._settle(batch, self._appender.append_all(batch.units()))

    def units(self, units: Sequence[Unit]) -> list[Outcome]:
        """Append the units of decisions on several streams, and wait; return the outcome of each."""
        return self._appender.append_all(units)

    def later(self, work: Work) -> None:
        """Append a batch while the caller goes on."""
        self._on_the_way.append(work.batch)
        self.in_flight.update(work.batch.streams())
        self.taking.add_all(work.batch.taking)
        self._appender.submit(work, work.batch.units())

    def settle(self, appended: Appended[Work]) -> None:
        """Take in a batch that was on its way. Raises the unforeseen error that prevented the append."""
        work = appended.work
        self._on_the_way.remove(work.batch)
        self.taking.remove_all(work.batch.taking)
        self.in_flight = set[UUID]().union(*(batch.streams() for batch in self._on_the_way))
        if appended.error is not None:
            work.lost()
            raise appended.error
        work.then(self._settle(work.batch, appended.outcomes))

    def _settle(self, batch: Batch, outcomes: list[Outcome]) -> Again:
        batch.settle(outcomes)
        self._recorded(batch)
        if not batch.conflicts and not batch.failures:
            self._aside.recorded(batch.streams())
            return batch.conflicts
        self._aside.recorded(id for id in batch.streams() if id not in batch.conflicts)
        failed = self._aside.settle(batch.failures, batch.conflicts)
        return {id: error for id, error in batch.conflicts.items() if id not in failed}
