"""States of streams kept in memory by the worker that decides on them; a stale one meets a conflict at the append."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from commands.left_alone import LeftAlone
from commands.plans import Plans
from domain.batches.batch import FrozenBatch
from domain.batches.batch import fold as fold_batch
from domain.event import Event
from domain.executions.events.execution import ExecutionStarted
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from domain.schedules.schedule import Schedule
from domain.schedules.schedule import fold as fold_schedule
from store.carried import version_of
from store.epochs import LogEpochs
from store.mapper import StreamEvents, UnknownEvent
from store.unit import Outage

S = TypeVar("S")
KEPT_BYTES = 256 << 20  # a state takes about as much memory as its events have bytes
ReadStreams = Callable[[Iterable[UUID]], Mapping[UUID, list[Event]]]
"""Returns every event of several streams; streams without events are left out."""


class States(Generic[S]):
    """The most recently used states of one kind of stream. Not shared between threads.

    fold: returns the state after the events of a stream, None where they are not of this kind. size: states kept, of at
    most KEPT_BYTES together. left_alone: the streams that hold an event of a newer release, which another worker may
    read. unreadable: the errors of all others that the last `load` could not read. epochs: of the log; default: it has
    one for ever. epoch: the one in which the last `load` read the log, or an earlier one.
    """

    def __init__(
        self,
        read: ReadStreams,
        fold: Callable[[UUID, list[Event]], S | None],
        *,
        size: int = 20_000,
        epochs: LogEpochs | None = None,
    ) -> None:
        self.epochs = epochs or LogEpochs()
        self.epoch: str | None = None
        self._stale = False
        self.epochs.subscribe(self.forget_all)
        self._read_streams = read
        self._fold = fold
        self._size = size
        self._kept: OrderedDict[UUID, tuple[S, int]] = OrderedDict()
        self._kept_bytes = 0
        self.left_alone = LeftAlone()
        self.unreadable: Mapping[UUID, Exception] = {}

    def forget_all(self) -> None:
        """Forget every state before the next use; callable from any thread."""
        self._stale = True

    def holds(self, epoch: str | None) -> bool:
        """Return whether states of `epoch` may be kept: no other one has begun."""
        return epoch == self.epochs.enter()

    def kept(self, stream: UUID) -> S | None:
        """Return the state if it is in memory; None if the log would have to be read."""
        self._refresh()
        kept = self._kept.get(stream)
        return None if kept is None else kept[0]

    def load(self, streams: Iterable[UUID], *, fresh: bool = False) -> dict[UUID, S]:
        """Return states of many streams; those not kept (or all, when `fresh`) are read from the log in one query."""
        self._refresh()
        found: dict[UUID, S] = {}
        missing: dict[UUID, None] = {}
        for id in streams:
            kept = None if fresh else self._kept.get(id)
            if kept is None:
                missing[id] = None
            else:
                found[id] = kept[0]
        self.unreadable = {}
        if missing:
            ids = list(missing)
            try:
                read = self._read(ids)
            except Exception as error:
                if _is_outage(error):
                    raise
                read = self._read_one_by_one(ids)
            for id, (state, size) in read.items():
                found[id] = state
                self.keep(id, state, size)
                self.left_alone.discard(id)
        return found

    def _refresh(self) -> None:
        """Forget what is stale, and note the epoch: what is kept or read from here on is not older."""
        self.epoch = self.epochs.enter()
        if self._stale:
            self._stale = False
            self._kept.clear()
            self._kept_bytes = 0
            self.left_alone = LeftAlone()

    def size(self, stream: UUID) -> int:
        """Return the bytes of the events of a kept stream, so far as they are known."""
        kept = self._kept.get(stream)
        return 0 if kept is None else kept[1]

    def keep(self, stream: UUID, state: S, size: int) -> None:
        """Keep the state of a stream that was read. size: the bytes of its events."""
        self.forget(stream)
        self.keep_grown(stream, state, size)

    def keep_grown(self, stream: UUID, state: S, added: int) -> None:
        """Keep the state after a successful append of `added` bytes."""
        kept = self._kept.pop(stream, None)
        self._kept[stream] = state, added if kept is None else kept[1] + added
        self._kept_bytes += added
        while len(self._kept) > self._size or (self._kept_bytes > KEPT_BYTES and len(self._kept) > 1):
            self.forget(next(iter(self._kept)))

    def forget(self, stream: UUID) -> None:
        """Forget a state that may be stale."""
        kept = self._kept.pop(stream, None)
        if kept is not None:
            self._kept_bytes -= kept[1]

    def _read(self, ids: list[UUID]) -> dict[UUID, tuple[S, int]]:
        found: dict[UUID, tuple[S, int]] = {}
        for id, events in self._read_streams(ids).items():
            state = self._fold(id, events)
            if state is not None:
                found[id] = state, events.size if isinstance(events, StreamEvents) else 0
        return found

    def _read_one_by_one(self, ids: list[UUID]) -> dict[UUID, tuple[S, int]]:
        """Return the states that can be read: an unreadable stream, as of a newer release, does not stop others."""
        found: dict[UUID, tuple[S, int]] = {}
        unreadable: dict[UUID, Exception] = {}
        for id in ids:
            try:
                found |= self._read([id])
            except UnknownEvent as error:
                self.left_alone.add(id, "execution", error)
            except Exception as error:
                if _is_outage(error):
                    raise
                unreadable[id] = error
        self.unreadable = unreadable
        return found


def _is_outage(error: Exception) -> bool:
    """Return whether the server is away; libpq reports an answer too large for the memory of this process likewise."""
    return isinstance(error, Outage) and "out of memory" not in str(error)


class ExecutionStates(States[Execution]):
    """States of executions; those that ended are not kept."""

    def __init__(self, read: ReadStreams, plans: Plans, *, size: int = 20_000, epochs: LogEpochs | None = None) -> None:
        super().__init__(read, lambda id, events: rehydrate(id, events, plans), size=size, epochs=epochs)

    def keep(self, stream: UUID, state: Execution, size: int) -> None:
        """Keep the state of a stream that was read, unless it has ended."""
        if state.ended_at is None:
            super().keep(stream, state, size)
        else:
            self.forget(stream)


class Versioned(msgspec.Struct, Generic[S], frozen=True):
    """The state of a stream after `version` events."""

    version: int
    state: S


class StreamStates(States[Versioned[S]]):
    """States of streams other than executions, such as schedules or alert policies.

    fold: returns the state that follows from an earlier one and more events. initial: the state of a new stream.
    """

    def __init__(
        self,
        read: ReadStreams,
        initial: S,
        fold: Callable[[S, Iterable[Event]], S],
        *,
        size: int = 20_000,
        epochs: LogEpochs | None = None,
    ) -> None:
        super().__init__(
            read, lambda _id, events: Versioned(len(events), fold(initial, events)), size=size, epochs=epochs
        )
        self.initial = initial
        self.fold = fold


class ScheduleStates(StreamStates[Schedule | None]):
    """States of schedules; None before the first registration."""

    def __init__(self, read: ReadStreams, *, size: int = 20_000, epochs: LogEpochs | None = None) -> None:
        super().__init__(read, None, fold_schedule, size=size, epochs=epochs)
        self._fold = lambda _id, events: Versioned(version_of(events), fold_schedule(None, events))


class BatchStates(StreamStates[FrozenBatch | None]):
    """States of batches; None for a stream without events."""

    def __init__(self, read: ReadStreams, *, size: int = 100, epochs: LogEpochs | None = None) -> None:
        super().__init__(read, None, fold_batch, size=size, epochs=epochs)


def rehydrate(id: UUID, events: list[Event], plans: Plans) -> Execution | None:
    """Return the state after `events`; None if they are no execution's."""
    if not events or not isinstance(events[0], ExecutionStarted):
        return None
    started = events[0]
    plan = plans.get(started.process_id, started.version, started.body)
    callees = plans.pinned(plan, started.pinned) if started.pinned else plan.bodies
    execution = Execution(id, plan, steps={}, waiting={}, callees=callees)
    for event in events:
        evolve(execution, event)
    return execution
