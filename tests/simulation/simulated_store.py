"""The log and the to-do lists in memory: what an append moves, and every way in which it can go wrong."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from random import Random
from uuid import UUID

from simulated_relations import Relations

from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events.step import StepScheduled, StepStarted
from domain.executions.messages import recipient_of
from domain.executions.outcomes import LEAVES_WORKER
from store.log import Outcome
from store.mapper import decode, encode
from store.unit import Conflict, MessageKey, OutcomeUnknown, StoreError, Unit


class Crash(Exception):
    """The process died."""


class Store:
    """Streams, due steps with their owners, due timers, and what concerns several executions; an append moves all or
    none.

    faults: how likely each append is to meet each kind of trouble. watch: called with every unit that is recorded, and
    with the streams of all that were to be recorded together with it.
    """

    def __init__(
        self, random: Random, faults: float, watch: Callable[[Unit, set[UUID]], None] = lambda _unit, _others: None
    ) -> None:
        self._random = random
        self.faults = faults
        self.watch = watch
        self._streams: dict[UUID, list[tuple[str, bytes]]] = {}
        self._unowned: deque[tuple[UUID, str]] = deque()
        self.due_steps: dict[tuple[UUID, str], tuple[int, UUID | None]] = {}
        self.due_timers: dict[tuple[UUID, str, str], datetime] = {}
        self.relations = Relations()
        self.appends = 0

    def append(self, unit: Unit) -> None:
        """Record a decision. Raises Conflict, or OutcomeUnknown after having recorded it, or without."""
        outcome = self.append_all([unit])[0]
        if isinstance(outcome, StoreError):
            raise outcome

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Record many decisions, in one transaction while nothing conflicts, or else each by itself, as Log does.

        Raises Crash when whoever records dies between two of these.
        """
        together = {unit.stream for unit in units}
        outcomes: list[Outcome] = []
        batch: list[Unit] = []
        for unit in units:
            if any(guarded == other.stream for guarded, _ in unit.guards for other in batch):
                outcomes += self._append_batch(batch, together)
                batch = []
            batch.append(unit)
        return outcomes + self._append_batch(batch, together) if batch else outcomes

    def _append_batch(self, units: Sequence[Unit], together: set[UUID]) -> list[Outcome]:
        trouble = self._random.random() if self.faults else 1
        if trouble < self.faults:
            return [OutcomeUnknown("the connection was lost before")] * len(units)
        if trouble < 2 * self.faults or not self._fit(units):
            if len(units) == 1:
                return [Conflict("a stream has moved on, or a message has been handled")]
            return [outcome for unit in units for outcome in self._append_alone(unit, together)]
        for unit in units:
            self._record(unit)
            self.watch(unit, together)
        if trouble < 3 * self.faults:
            return [OutcomeUnknown("the acknowledgement was lost")] * len(units)
        return [self.appends] * len(units)

    def _append_alone(self, unit: Unit, together: set[UUID]) -> list[Outcome]:
        if self._random.random() < self.faults / 4:
            raise Crash
        return self._append_batch([unit], together)

    def _fit(self, units: Sequence[Unit]) -> bool:
        """Whether all of them may be recorded, one after the other."""
        asked: set[MessageKey] = set()
        answered: set[MessageKey] = set()
        for unit in units:
            if self.version(unit.stream) != unit.version or any(self.version(s) > v for s, v in unit.guards):
                return False
            asked |= {(unit.stream, n) for n, e in enumerate(unit.events, unit.version + 1) if recipient_of(e)}
            new = set(unit.handled)
            if len(new) < len(unit.handled) or new & answered or not self.relations.allow(new - asked):
                return False
            answered |= new
        return True

    def _record(self, unit: Unit) -> None:
        self.appends += 1
        stream, events = unit.stream, unit.events
        self._streams.setdefault(stream, []).extend((STORED_NAMES[type(event)], encode(event)) for event in events)
        scheduled: set[str] = set()
        for event in events:
            if isinstance(event, StepScheduled):
                scheduled.add(event.step)
                self.due_steps[stream, event.step] = (event.attempt, None)
                self._unowned.append((stream, event.step))
            elif isinstance(event, StepStarted) and event.step in scheduled:
                self.due_steps[stream, event.step] = (event.attempt, unit.owner)
            elif type(event) in LEAVES_WORKER:
                self.due_steps.pop((stream, event.step), None)  # type: ignore[attr-defined]
        for step, kind in unit.timers_dropped:
            del self.due_timers[stream, step, kind]
        for (step, kind), due_at in unit.timers_set.items():
            self.due_timers[stream, step, kind] = due_at
        self.relations.move(stream, unit.version, events, unit.owner, unit.handled, unit.slot)

    def version(self, stream: UUID) -> int:
        """How many events a stream has."""
        return len(self._streams.get(stream, ()))

    def ids(self) -> list[UUID]:
        """Every stream there is."""
        return list(self._streams)

    def stream(self, stream: UUID) -> list[Event]:
        """Every event of a stream, read anew from what is stored."""
        return [decode(topic, state) for topic, state in self._streams.get(stream, ())]

    def streams(self, streams: Iterable[UUID], reading: None = None) -> dict[UUID, list[Event]]:
        """The same for several."""
        return {stream: self.stream(stream) for stream in streams if stream in self._streams}

    def claim(self, owner: UUID, limit: int) -> list[tuple[UUID, str, int]]:
        """Give `owner` due attempts that nobody has."""
        claimed: list[tuple[UUID, str, int]] = []
        while self._unowned and len(claimed) < limit:
            key = self._unowned.popleft()
            attempt, has = self.due_steps.get(key, (0, owner))
            if has is None:
                self.due_steps[key] = (attempt, owner)
                claimed.append((*key, attempt))
        return claimed

    def held(self, owner: UUID) -> list[tuple[UUID, str, int]]:
        """The attempts that `owner` has."""
        return [(*key, attempt) for key, (attempt, has) in self.due_steps.items() if has == owner]

    def release(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Nobody has these any longer."""
        for key in keys:
            if key in self.due_steps:
                self.due_steps[key] = (self.due_steps[key][0], None)
                self._unowned.append(key)

    def drop(self, owner: UUID, keys: Iterable[tuple[UUID, str]]) -> None:
        """Strike off what the log knows to be over."""
        for key in keys:
            if self.due_steps.get(key, (0, None))[1] == owner:
                del self.due_steps[key]

    def overdue(self, now: datetime) -> list[tuple[UUID, str, str]]:
        """The timers that are due."""
        return [key for key, due_at in self.due_timers.items() if due_at <= now]
