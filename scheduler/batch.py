"""Decisions on many streams on their way into one append."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from commands.deciding import Guards
from commands.states import ExecutionStates, StreamStates, Versioned
from domain.agents.calls import StepError
from domain.event import Event
from domain.executions.decisions.execution import fail_execution
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from domain.refusal import Refusal
from scheduler.capacity import Tally
from scheduler.under_way import ExecutionUnderWay, StreamUnderWay, UnderWay
from store.bounded import EventTooLarge
from store.lists.outbox import Message
from store.sizes import FULL_APPEND
from store.unit import MessageKey, StoreError, Unit, UnitRefused
from store.waiting_units import Outcome

logger = logging.getLogger(__name__)

Decision = Callable[[Execution], Unfolding]
S = TypeVar("S")
D = TypeVar("D")


class Batch:
    """Decides on top of what it has decided before: several answers of one execution become one unit.

    states: keeps the states of executions. loaded: the states to decide on. fresh: they were just read from the
    log. unreadable: the errors of those that could not be read. taking: attempts taken so far, by agent. beside:
    attempts taken by batches that are not on their way yet. broken: streams that
    could not be decided on. failures: the errors of executions to set aside: unreadable ones, those that broke on a
    fresh state, and, after `settle`, those whose units the server refused. taken: after `settle`, the attempts this
    worker now has to begin, with the state they belong to. messages: after `settle`, the messages sent; this worker
    has claimed them. conflicts: after `settle`, the streams that must be decided afresh, each with its outcome.
    """

    def __init__(
        self,
        states: ExecutionStates,
        loaded: dict[UUID, Execution],
        owner: UUID,
        *,
        fresh: bool = False,
        unreadable: Mapping[UUID, Exception] = MappingProxyType({}),
    ) -> None:
        self._fresh = fresh
        self.failures = dict(unreadable)
        self._states = states
        self._epoch = states.epoch
        self.loaded = loaded
        self._owner = owner
        self._under_way: dict[UUID, UnderWay] = {}
        self.taking = Tally()
        self.beside: list[Tally] = []
        self._size = 0
        self.broken: set[UUID] = set()
        self.taken: list[tuple[Execution, str]] = []
        self.messages: list[Message] = []
        self.conflicts: dict[UUID, StoreError] = {}
        self._unrecorded: set[UUID] = set()

    def decide(
        self, execution_id: UUID, decision: Decision, handled: MessageKey | None = None, guards: Guards = ()
    ) -> bool:
        """Add what `decision` states about an execution. Return False when it states nothing or refuses: maybe stale.

        handled: the message that the decision answers. guards: the streams and versions that it rests on.
        """
        under_way = self._under_way.get(execution_id)
        first = under_way is None
        if under_way is None:
            before = self.loaded.get(execution_id)
            if before is None:
                return False
            under_way = ExecutionUnderWay(before, self._states)
        assert isinstance(under_way, ExecutionUnderWay)
        # As in `_decided`, which would be a call more: each answer passes this line.
        try:
            unfolding = decision(under_way.state)
        except Refusal:
            return False
        except Exception as error:  # noqa: BLE001 - logged when the execution is set aside
            self._broke(execution_id, error)
            return False
        if not unfolding.events:
            return False
        size = under_way.size
        try:
            under_way.add(unfolding)
        except EventTooLarge as error:
            logger.warning("execution %s fails: %s", execution_id, error)
            too_large = StepError(error.code, error.message, permanent=True)
            unfolding = fail_execution(under_way.state, too_large, unfolding.cause)
            if not unfolding.events:
                return False
            under_way.add(unfolding)
        except Exception as error:  # noqa: BLE001 - logged when the execution is set aside
            # Its events have no stored form, and the state holds them already.
            self._under_way.pop(execution_id, None)
            self._states.forget(execution_id)
            self.failures[execution_id] = error
            return False
        self._size += under_way.size - size
        for step in unfolding.taken:
            self.taking.add(unfolding.execution.steps[step].agent)
        if first:
            self._under_way[execution_id] = under_way
        if guards or handled is not None:
            self._rest(execution_id, under_way, handled, guards)
        return True

    def decide_on(
        self,
        states: StreamStates[S],
        stream: UUID,
        decision: Callable[[S], list[Event]],
        handled: MessageKey | None = None,
        guards: Guards = (),
    ) -> bool:
        """Add what `decision` states about a stream that is no execution, as `decide` does.

        states: loads and keeps the states of such streams; a stream without events is new.
        """
        under_way = self._under_way.get(stream)
        if under_way is None:
            before = states.load([stream]).get(stream)
            under_way = StreamUnderWay(stream, before or Versioned(0, states.initial), states)
        assert isinstance(under_way, StreamUnderWay)
        events = self._decided(stream, decision, under_way.state)
        if not events:
            return False
        size = under_way.size
        under_way.add(events)
        self._size += under_way.size - size
        self._under_way[stream] = under_way
        self._rest(stream, under_way, handled, guards)
        return True

    @property
    def full(self) -> bool:
        """Whether the events so far are enough for one append, by their bytes."""
        return self._size >= FULL_APPEND

    def units(self) -> list[Unit]:
        """Return the units to record, one a stream; leave out those that cannot be made."""
        units = []
        for id, decided in list(self._under_way.items()):
            try:
                unit = decided.unit(id, self._owner)
                unit.epoch = self._epoch
                units.append(unit)
            except Exception as error:  # noqa: BLE001 - logged when the execution is set aside
                del self._under_way[id]
                self.failures[id] = error
        return units

    def streams(self) -> Mapping[UUID, UnderWay]:
        """Return the streams decided on, with their decisions."""
        return self._under_way

    def settle(self, outcomes: Sequence[Outcome]) -> Collection[UUID]:
        """Keep the states of units that were appended; return the streams that must be decided afresh."""
        again, holds = self.conflicts, self._states.holds(self._epoch)
        for (id, under_way), outcome in zip(self._under_way.items(), outcomes, strict=True):
            if not isinstance(outcome, StoreError):
                under_way.settle(id, recorded=holds)
                self.taken += under_way.taken()
                self.messages += under_way.sent
                continue
            under_way.settle(id, recorded=False)
            self._unrecorded.add(id)
            if isinstance(outcome, UnitRefused):
                self.failures[id] = outcome
            else:
                again[id] = outcome
        if self.messages:
            decided = self._under_way.items()
            handled = {key for id, under_way in decided if id not in self._unrecorded for key in under_way.handled}
            self.messages = [message for message in self.messages if message.key not in handled]
        return again.keys()

    def sent(self) -> list[Message]:
        """Return the messages that the decisions send so far."""
        return [message for decided in self._under_way.values() for message in decided.sent]

    def recorded(self) -> Collection[UUID]:
        """Return, after `settle`, the streams whose units were recorded."""
        unrecorded = self._unrecorded
        return [id for id in self._under_way if id not in unrecorded] if unrecorded else self._under_way.keys()

    def recorded_of(self, kinds: Collection[type[Event]]) -> list[tuple[UUID, Any]]:
        """Return, after `settle`, the events of these kinds that were recorded, each with its stream."""
        decided, unrecorded = self._under_way.items(), self._unrecorded
        found = [(id, event) for id, each in decided for event in each.events if type(event) in kinds]
        return [(id, event) for id, event in found if id not in unrecorded] if unrecorded else found

    def _decided(self, id: UUID, decision: Callable[[S], D], state: S) -> D | None:
        try:
            return decision(state)
        except Refusal:
            return None
        except Exception as error:  # noqa: BLE001 - logged when the stream is set aside
            self._broke(id, error)
            return None

    def _broke(self, id: UUID, error: Exception) -> None:
        """Note a decision that broke; on a state from memory, the duty decides once more on the state in the log."""
        self.broken.add(id)
        if self._fresh:
            self.failures[id] = error
        else:
            self._states.forget(id)

    def _rest(self, id: UUID, under_way: UnderWay, handled: MessageKey | None, guards: Guards) -> None:
        """Note the guards of a decision, and the message that it answers."""
        if guards:
            under_way.guards += guards
        if handled is not None:
            under_way.handled.append(handled)
            # An answer is recorded after its message, or the message would not be there yet.
            self._under_way[id] = self._under_way.pop(id)
