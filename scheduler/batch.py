"""Decisions on many executions on their way into one append."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from uuid import UUID

from commands.deciding import Guards
from commands.states import ExecutionStates
from domain.event import Event
from domain.executions.engine.unfolding import Unfolding
from domain.executions.messages import RECIPIENTS, recipient_of
from domain.executions.slots import slot_of
from domain.executions.state.model import Execution
from domain.executions.timers import timers_dropped, timers_set
from domain.refusal import Refusal
from store.lists.outbox import Message
from store.log import Outcome
from store.unit import MessageKey, StoreError, Unit

logger = logging.getLogger(__name__)


class Batch:
    """Decides on top of what it has decided before: several answers of one execution become one unit.

    loaded: the states to decide on. taking: attempts taken so far. broken: executions that could not be decided on.
    taken: after `settle`, the attempts this worker now has to begin, with the state they belong to.
    messages: after `settle`, what was asked of other executions; this worker has it in hand.
    conflicts: after `settle`, the executions that must be decided afresh.
    """

    def __init__(self, loaded: dict[UUID, Execution], owner: UUID) -> None:
        self.loaded = loaded
        self._owner = owner
        self._under_way: dict[UUID, _UnderWay] = {}
        self.taking = 0
        self.broken: set[UUID] = set()
        self.taken: list[tuple[Execution, str]] = []
        self.messages: list[Message] = []
        self.conflicts: set[UUID] = set()

    def decide(
        self,
        execution_id: UUID,
        decision: Callable[[Execution], Unfolding],
        handled: MessageKey | None = None,
        guards: Guards = (),
    ) -> bool:
        """Add what `decision` states about an execution. False when it states nothing or is refused: maybe stale.

        handled: the message that the decision answers. guards: what it rests on.
        """
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
            self.broken.add(execution_id)
            return False
        if not unfolding.events:
            return False
        if under_way is None:
            under_way = self._under_way[execution_id] = _UnderWay(execution)
        under_way.add(unfolding)
        under_way.guards += guards
        if handled is not None:
            under_way.handled.append(handled)
            # Who answers is recorded after who asked, or what is answered would not be there yet.
            self._under_way[execution_id] = self._under_way.pop(execution_id)
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
        again = self.conflicts
        for (id, under_way), outcome in zip(self._under_way.items(), outcomes, strict=True):
            if isinstance(outcome, StoreError):
                states.forget(id)
                again.add(id)
            else:
                states.keep(under_way.execution)
                self.taken += [(under_way.execution, step) for step in under_way.current()]
                self.messages += under_way.asked
        if self.messages:
            handled = {key for id, under_way in self._under_way.items() if id not in again for key in under_way.handled}
            self.messages = [message for message in self.messages if message.key not in handled]
        return again

    def asked(self) -> list[Message]:
        """What has been asked of others so far."""
        return [message for decided in self._under_way.values() for message in decided.asked]

    def recorded(self) -> Iterator[tuple[UUID, Event]]:
        """After `settle`, every event that was recorded, with its execution."""
        for id, decided in self._under_way.items():
            if id not in self.conflicts:
                for event in decided.events:
                    yield id, event

    def _unit(self, id: UUID, decided: "_UnderWay") -> Unit:
        before, after = decided.timers, decided.execution.timers
        unit = Unit(id, decided.version, decided.events, self._owner, handled=decided.handled, guards=decided.guards)
        if before or after:
            unit.timers_set, unit.timers_dropped = timers_set(before, after), timers_dropped(before, after)
        if decided.execution.plan.max_running is not None:
            unit.slot = slot_of(decided.status, decided.execution)
        return unit


class _UnderWay:
    """What one execution will have recorded."""

    __slots__ = ("asked", "events", "execution", "guards", "handled", "status", "taken", "timers", "version")

    def __init__(self, before: Execution) -> None:
        self.version = before.version
        self.status = before.status
        self.timers = before.timers
        self.execution: Execution
        self.events: list[Event] = []
        self.taken: list[str] = []
        self.asked: list[Message] = []
        self.guards: Guards = ()
        self.handled: list[MessageKey] = []

    def add(self, unfolding: Unfolding) -> None:
        """One more decision, and what it asks of others."""
        version = self.version + len(self.events)
        for event in unfolding.events:
            version += 1
            if type(event) in RECIPIENTS and (recipient := recipient_of(event)) is not None:
                self.asked.append(Message(unfolding.execution.id, version, recipient, event))
        self.events += unfolding.events
        self.taken += unfolding.taken
        self.execution = unfolding.execution

    def current(self) -> list[str]:
        """The attempts taken that a later decision of the same batch has not ended."""
        steps = self.execution.steps
        return [step for step in self.taken if steps[step].status == "started"]
