"""Decisions on many streams on their way into one append."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from commands.deciding import Guards
from commands.states import ExecutionStates, StreamStates, Versioned
from domain.event import Event
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from domain.refusal import Refusal
from scheduler.capacity import Tally
from scheduler.under_way import ExecutionUnderWay, StreamUnderWay, UnderWay
from store.lists.outbox import Message
from store.log import Outcome
from store.unit import MessageKey, StoreError, Unit

logger = logging.getLogger(__name__)

Decision = Callable[[Execution], Unfolding]
S = TypeVar("S")
D = TypeVar("D")


class Batch:
    """Decides on top of what it has decided before: several answers of one execution become one unit.

    states: keeps the states of executions. loaded: the states to decide on. taking: attempts taken so far, by agent.
    beside: attempts taken by batches that are not on their way yet.
    broken: streams that could not be decided on. taken: after `settle`, the attempts this worker now has to begin, with
    the state they belong to. messages: after `settle`, the messages sent; this worker has claimed them.
    conflicts: after `settle`, the streams that must be decided afresh.
    """

    def __init__(self, states: ExecutionStates, loaded: dict[UUID, Execution], owner: UUID) -> None:
        self._states = states
        self.loaded = loaded
        self._owner = owner
        self._under_way: dict[UUID, UnderWay] = {}
        self.taking = Tally()
        self.beside: list[Tally] = []
        self.broken: set[UUID] = set()
        self.taken: list[tuple[Execution, str]] = []
        self.messages: list[Message] = []
        self.conflicts: set[UUID] = set()

    def decide(
        self, execution_id: UUID, decision: Decision, handled: MessageKey | None = None, guards: Guards = ()
    ) -> bool:
        """Add what `decision` states about an execution. Return False when it states nothing or refuses: maybe stale.

        handled: the message that the decision answers. guards: the streams and versions that it rests on.
        """
        under_way = self._under_way.get(execution_id)
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
        except Exception:
            logger.exception("stream %s could not be decided on and is left alone", execution_id)
            self.broken.add(execution_id)
            return False
        if not unfolding.events:
            return False
        under_way.add(unfolding)
        for step in unfolding.taken:
            self.taking.add(unfolding.execution.steps[step].agent)
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
            under_way = StreamUnderWay(before or Versioned(0, states.initial), states)
        assert isinstance(under_way, StreamUnderWay)
        events = self._decided(stream, decision, under_way.state)
        if not events:
            return False
        under_way.add(events)
        self._under_way[stream] = under_way
        self._rest(stream, under_way, handled, guards)
        return True

    def units(self) -> list[Unit]:
        """Return the units to record, one a stream."""
        return [decided.unit(id, self._owner) for id, decided in self._under_way.items()]

    def streams(self) -> Collection[UUID]:
        """Return the streams decided on."""
        return self._under_way.keys()

    def settle(self, outcomes: Sequence[Outcome]) -> set[UUID]:
        """Keep the states of units that were appended; return the streams that must be decided afresh."""
        again = self.conflicts
        for (id, under_way), outcome in zip(self._under_way.items(), outcomes, strict=True):
            recorded = not isinstance(outcome, StoreError)
            under_way.settle(id, recorded=recorded)
            if recorded:
                self.taken += under_way.taken()
                self.messages += under_way.sent
            else:
                again.add(id)
        if self.messages:
            handled = {key for id, under_way in self._under_way.items() if id not in again for key in under_way.handled}
            self.messages = [message for message in self.messages if message.key not in handled]
        return again

    def sent(self) -> list[Message]:
        """Return the messages that the decisions send so far."""
        return [message for decided in self._under_way.values() for message in decided.sent]

    def recorded(self) -> Iterator[tuple[UUID, Event]]:
        """Yield, after `settle`, every event that was recorded, with its stream."""
        for id, decided in self._under_way.items():
            if id not in self.conflicts:
                for event in decided.events:
                    yield id, event

    def _decided(self, id: UUID, decision: Callable[[S], D], state: S) -> D | None:
        try:
            return decision(state)
        except Refusal:
            return None
        except Exception:
            logger.exception("stream %s could not be decided on and is left alone", id)
            self.broken.add(id)
            return None

    def _rest(self, id: UUID, under_way: UnderWay, handled: MessageKey | None, guards: Guards) -> None:
        """Note the guards of a decision, and the message that it answers."""
        if guards:
            under_way.guards += guards
        if handled is not None:
            under_way.handled.append(handled)
            # An answer is recorded after its message, or the message would not be there yet.
            self._under_way[id] = self._under_way.pop(id)
