"""Decisions on many executions on their way into one append."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from uuid import UUID

from commands.states import ExecutionStates
from domain.event import Event
from domain.executions.execution import Execution
from domain.executions.timers import timers_dropped, timers_set
from domain.executions.unfolding import Unfolding
from domain.refusal import Refusal
from store.log import Outcome
from store.unit import StoreError, Unit

logger = logging.getLogger(__name__)


class Batch:
    """Decides on top of what it has decided before: several answers of one execution become one unit.

    loaded: the states to decide on. taking: attempts taken so far.
    taken: after `settle`, the attempts this worker now has to begin, with the state they belong to.
    """

    def __init__(self, loaded: Mapping[UUID, Execution], owner: UUID) -> None:
        self.loaded = loaded
        self._owner = owner
        self._under_way: dict[UUID, _UnderWay] = {}
        self.taking = 0
        self.taken: list[tuple[Execution, str]] = []

    def decide(self, execution_id: UUID, decision: Callable[[Execution], Unfolding]) -> bool:
        """Add what `decision` states about an execution. False when it states nothing or is refused: maybe stale."""
        under_way = self._under_way.get(execution_id)
        execution = under_way.execution if under_way else self.loaded.get(execution_id)
        if execution is None:
            return False
        try:
            unfolding = decision(execution)
        except Refusal:
            return False
        except Exception:
            logger.exception("execution %s could not be decided on and is left alone", execution_id)
            return False
        if not unfolding.events:
            return False
        if under_way is None:
            under_way = self._under_way[execution_id] = _UnderWay(execution)
        under_way.execution = unfolding.execution
        under_way.events += unfolding.events
        under_way.taken += unfolding.taken
        self.taking += len(unfolding.taken)
        return True

    def units(self) -> list[Unit]:
        """What is to be recorded, a unit an execution."""
        return [self._unit(id, decided) for id, decided in self._under_way.items()]

    def executions(self) -> Collection[UUID]:
        """The executions decided on."""
        return self._under_way.keys()

    def settle(self, outcomes: Sequence[Outcome], states: ExecutionStates) -> set[UUID]:
        """The units have been appended: keep the states; returns the executions that must be decided afresh."""
        again: set[UUID] = set()
        for (id, under_way), outcome in zip(self._under_way.items(), outcomes, strict=True):
            if isinstance(outcome, StoreError):
                states.forget(id)
                again.add(id)
            else:
                states.keep(under_way.execution)
                self.taken += [(under_way.execution, step) for step in under_way.current()]
        return again

    def events(self) -> Iterator[tuple[UUID, Event]]:
        """Every event decided on, with its execution."""
        for id, decided in self._under_way.items():
            for event in decided.events:
                yield id, event

    def _unit(self, id: UUID, decided: "_UnderWay") -> Unit:
        before, after = decided.timers, decided.execution.timers
        if not before and not after:
            return Unit(id, decided.version, decided.events, self._owner)
        return Unit(
            id,
            decided.version,
            decided.events,
            self._owner,
            timers_set=timers_set(before, after),
            timers_dropped=timers_dropped(before, after),
        )


class _UnderWay:
    """What one execution will have recorded."""

    __slots__ = ("events", "execution", "taken", "timers", "version")

    def __init__(self, before: Execution) -> None:
        self.version = before.version
        self.timers = before.timers
        self.execution: Execution
        self.events: list[Event] = []
        self.taken: list[str] = []

    def current(self) -> list[str]:
        """The attempts taken that a later decision of the same batch has not ended."""
        steps = self.execution.steps
        return [step for step in self.taken if steps[step].status == "started"]
