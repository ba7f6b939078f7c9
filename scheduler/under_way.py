"""The decisions on one stream, on their way into a batch: an execution, or a stream of any other kind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from commands.deciding import Guards
from commands.states import ExecutionStates, StreamStates, Versioned
from domain.event import Event
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.messages import MESSAGES, recipient_of
from domain.executions.events.outcomes import QUEUED, RUNNING, STARTED
from domain.executions.state.model import Execution
from domain.executions.state.slot import slot_of
from domain.executions.timers import timers_dropped, timers_set
from store.bounded import encoded, refuse_growth
from store.lists.outbox import Message
from store.sizes import SMALL_DECISION
from store.unit import MessageKey, Unit

S = TypeVar("S")


class UnderWay(ABC):
    """Decisions on one stream, each on top of those before it.

    guards: streams and versions that they rest on. handled: messages that they answer. sent: messages that they send.
    states: the stored form of the events. size: its bytes.
    """

    __slots__ = ("events", "guards", "handled", "sent", "size", "states", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.events: list[Event] = []
        self.states: list[bytes] = []
        self.size = 0
        self.sent: list[Message] = []
        self.guards: Guards = ()
        self.handled: list[MessageKey] = []

    @abstractmethod
    def unit(self, id: UUID, owner: UUID) -> Unit:
        """Return the unit to record."""

    @abstractmethod
    def settle(self, id: UUID, *, recorded: bool) -> None:
        """Keep the state that was recorded, or forget the state that met a conflict."""

    def taken(self) -> Sequence[tuple[Execution, str]]:
        """Return the attempts that the worker has to begin, each with the state of its execution."""
        return ()


class ExecutionUnderWay(UnderWay):
    """Decisions on one execution."""

    __slots__ = ("_kept", "_status", "_taken", "_timers", "state")

    def __init__(self, before: Execution, kept: ExecutionStates) -> None:
        super().__init__(before.version)
        self._kept = kept
        self._status = before.status
        self._timers = before.timers
        self._taken: list[str] = []
        self.state = before

    def add(self, unfolding: Unfolding) -> None:
        """Add one more decision. Raises EventTooLarge, and adds nothing, when the execution would grow too large."""
        events = unfolding.events
        states, size = encoded(events)
        after = unfolding.execution
        # An end, and the compensation before it, are always recorded.
        if size > SMALL_DECISION and after.status == RUNNING:
            refuse_growth(self._kept.size(after.id) + self.size, size, after.plan.limits.max_execution)
        if not MESSAGES.isdisjoint(map(type, events)):
            self._send(after.id, events)
        self.events += events
        self.states += states
        self.size += size
        self._taken += unfolding.taken
        self.state = after

    def _send(self, source: UUID, events: Sequence[Event]) -> None:
        for version, event in enumerate(events, self.version + len(self.events) + 1):
            if type(event) in MESSAGES and (recipient := recipient_of(event)) is not None:
                self.sent.append(Message(source, version, recipient, event))

    def unit(self, id: UUID, owner: UUID) -> Unit:
        """Return the unit to record, with its changes of timers and slots."""
        before, after = self._timers, self.state.timers
        plan = self.state.plan
        unit = Unit(
            id,
            self.version,
            self.events,
            owner,
            handled=self.handled,
            guards=self.guards,
            states=self.states,
            size=self.size,
            process_id=plan.process_id,
        )
        if before or after:
            unit.timers_set, unit.timers_dropped = timers_set(before, after), timers_dropped(before, after)
        if plan.max_running is not None or self._status == QUEUED:
            unit.slot = slot_of(self._status, self.state)
        return unit

    def settle(self, id: UUID, *, recorded: bool) -> None:
        """Keep the state that was recorded; forget one that has ended, or that met a conflict."""
        if recorded and self.state.ended_at is None:
            self._kept.keep_grown(id, self.state, self.size)
        else:
            self._kept.forget(id)

    def taken(self) -> Sequence[tuple[Execution, str]]:
        """Return the attempts taken that a later decision of the same batch has not ended."""
        state, taken = self.state, self._taken
        if len(taken) == 1:  # as most decisions take
            return ((state, taken[0]),) if state.steps[taken[0]].status == STARTED else ()
        return [(state, step) for step in taken if state.steps[step].status == STARTED]


class StreamUnderWay(UnderWay, Generic[S]):
    """Decisions on one stream of any other kind."""

    __slots__ = ("_kept", "state")

    def __init__(self, id: UUID, before: Versioned[S], kept: StreamStates[S]) -> None:
        super().__init__(before.version)
        self._kept = kept
        self.state = before.state

    def add(self, events: Sequence[Event]) -> None:
        """Add one more decision."""
        states, size = encoded(events)
        self.events += events
        self.states += states
        self.size += size
        self.state = self._kept.fold(self.state, events)

    def unit(self, id: UUID, owner: UUID) -> Unit:
        """Return the unit to record."""
        return Unit(
            id,
            self.version,
            self.events,
            owner,
            handled=self.handled,
            guards=self.guards,
            states=self.states,
            size=self.size,
        )

    def settle(self, id: UUID, *, recorded: bool) -> None:
        """Keep the state that was recorded, or forget the state that met a conflict."""
        if recorded:
            self._kept.keep_grown(id, Versioned(self.version + len(self.events), self.state), self.size)
        else:
            self._kept.forget(id)
