"""The log in memory, with every failure that an append can meet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from uuid import UUID

from simulated_lists import MemoryLists

from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events.messages import recipient_of
from store.mapper import decode, encode
from store.unit import Conflict, FullLines, MessageKey, OutcomeUnknown, SlotsTaken, StoreError, StreamChange, Unit
from store.waiting_units import Outcome


class Crash(Exception):
    """The process died."""


class Store:
    """Streams; an append records all or nothing, and moves the lists.

    faults: the probability of each kind of failure for each append. watch: called with every recorded change,
    and with the streams of the units submitted together with it. notify: called with the words for each unit.
    recorded: every change, in the order of the log.
    """

    def __init__(
        self,
        random: Random,
        faults: float,
        lists: MemoryLists,
        watch: Callable[[StreamChange, set[UUID]], None] = lambda _change, _others: None,
        notify: Callable[[list[str]], None] = lambda _words: None,
    ) -> None:
        self._random = random
        self.faults = faults
        self.lists = lists
        self.watch = watch
        self._notify = notify
        self._streams: dict[UUID, list[tuple[str, bytes]]] = {}
        self.recorded: list[StreamChange] = []
        self.slots_taken = 0

    @property
    def appends(self) -> int:
        """The number of changes."""
        return len(self.recorded)

    def append(self, unit: Unit) -> None:
        """Record a decision. Raises Conflict, or OutcomeUnknown whether or not the decision is recorded."""
        outcome = self.append_all([unit])[0]
        if isinstance(outcome, StoreError):
            raise outcome

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Record many decisions, in one transaction while nothing conflicts, or else each by itself, as Log does.

        Raises Crash if the process dies between two of these.
        """
        together = {unit.stream for unit in units}
        full: FullLines = {}
        outcomes: list[Outcome] = []
        batch: list[Unit] = []
        for unit in units:
            if any(guarded == other.stream for guarded, _ in unit.guards for other in batch):
                outcomes += self._append_batch(batch, together, full)
                batch = []
            batch.append(unit)
        return outcomes + self._append_batch(batch, together, full) if batch else outcomes

    def _append_batch(self, units: Sequence[Unit], together: set[UUID], full: FullLines) -> list[Outcome]:
        """together: takes out those that found no free slot, which nothing may overtake. full: takes their lines."""
        if len(units) == 1 and (line := units[0].admits_from) in full:
            return self._without_slot(units[0], full[line], together, full)
        trouble = self._random.random() if self.faults else 1
        if trouble < self.faults:
            return [OutcomeUnknown("the connection was lost before")] * len(units)
        apart = any(unit.admits_from in full for unit in units)
        if trouble < 2 * self.faults or apart or not self._fit(units):
            if len(units) == 1:
                if trouble >= 2 * self.faults and self._versions_fit(units):
                    return self._without_slot(units[0], SlotsTaken("no slot is free any more"), together, full)
                return [Conflict("a stream has moved on, or a message has been handled")]
            return [outcome for unit in units for outcome in self._append_alone(unit, together, full)]
        for unit in units:
            words = [word for change in unit.changes for word in self._record(change)]
            for change in unit.changes:
                self.watch(change, together)
            self._notify(words)
        if trouble < 3 * self.faults:
            return [OutcomeUnknown("the acknowledgement was lost")] * len(units)
        return [self.appends] * len(units)

    def _append_alone(self, unit: Unit, together: set[UUID], full: FullLines) -> list[Outcome]:
        if self._random.random() < self.faults / 4:
            raise Crash
        return self._append_batch([unit], together, full)

    def _without_slot(self, unit: Unit, refusal: SlotsTaken, together: set[UUID], full: FullLines) -> list[Outcome]:
        self.slots_taken += 1
        together.discard(unit.stream)
        if unit.admits_from is not None:
            full[unit.admits_from] = refusal
        return [refusal]

    def _fit(self, units: Sequence[Unit]) -> bool:
        """Return whether all units fit, recorded one after the other."""
        return self._versions_fit(units) and not self.lists.lacks_slots(
            [change for unit in units for change in unit.changes]
        )

    def _versions_fit(self, units: Sequence[Unit]) -> bool:
        sent: set[MessageKey] = set()
        handled: set[MessageKey] = set()
        for unit in units:
            if any(self.version(s) > v for s, v in unit.guards):
                return False
            for change in unit.changes:
                if self.version(change.stream) != change.version:
                    return False
                sent |= {(change.stream, n) for n, e in enumerate(change.events, change.version + 1) if recipient_of(e)}
                new = set(change.handled)
                if len(new) < len(change.handled) or new & handled or not self.lists.has(new - sent):
                    return False
                handled |= new
        return True

    def _record(self, change: StreamChange) -> list[str]:
        self.recorded.append(change)
        stream, events = change.stream, change.events
        self._streams.setdefault(stream, []).extend((STORED_NAMES[type(event)], encode(event)) for event in events)
        return self.lists.move(change)

    def version(self, stream: UUID) -> int:
        """Return the number of events in a stream."""
        return len(self._streams.get(stream, ()))

    def ids(self) -> list[UUID]:
        """Return the ids of all streams."""
        return list(self._streams)

    def stream(self, stream: UUID) -> list[Event]:
        """Return every event of a stream, decoded anew from its stored form."""
        return [decode(topic, state) for topic, state in self._streams.get(stream, ())]

    def streams_from(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Event]]:
        """Return the events of several streams from a version of each on; omit empty ones."""
        found = {stream: self.stream(stream)[version - 1 :] for stream, version in versions.items()}
        return {stream: events for stream, events in found.items() if events}

    def streams(self, streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
        """Return every event of several streams, by stream; omit empty streams."""
        return {stream: self.stream(stream) for stream in streams if stream in self._streams}
