"""The log and the to-do lists in memory: what an append moves, and every way in which it can go wrong."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from random import Random
from uuid import UUID

from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events import StepScheduled, StepStarted
from domain.executions.timers import TimerKey, Timers
from store.due_steps import REMOVES
from store.mapper import decode, encode
from store.unit import Conflict, OutcomeUnknown


class Store:
    """Streams, due steps with their owners, and due timers; an append moves all three or none.

    faults: how likely each append is to meet each kind of trouble.
    """

    def __init__(self, random: Random, faults: float) -> None:
        self._random = random
        self._faults = faults
        self._streams: dict[UUID, list[tuple[str, bytes]]] = {}
        self._unowned: deque[tuple[UUID, str]] = deque()
        self.due_steps: dict[tuple[UUID, str], tuple[int, UUID | None]] = {}
        self.due_timers: dict[tuple[UUID, str, str], datetime] = {}
        self.appends = 0

    def append(
        self,
        stream: UUID,
        version: int,
        events: list[Event],
        timers_set: Timers,
        timers_dropped: Iterable[TimerKey],
        owner: UUID | None = None,
    ) -> None:
        """Record a decision. Raises Conflict, or OutcomeUnknown after having recorded it, or without."""
        trouble = self._random.random() if self._faults else 1
        if trouble < self._faults:
            raise OutcomeUnknown("the connection was lost before")
        if trouble < 2 * self._faults or len(self._streams.get(stream, ())) != version:
            raise Conflict("the stream has moved on")
        self._record(stream, events, owner)
        for step, kind in timers_dropped:
            del self.due_timers[stream, step, kind]
        for (step, kind), due_at in timers_set.items():
            self.due_timers[stream, step, kind] = due_at
        if trouble < 3 * self._faults:
            raise OutcomeUnknown("the acknowledgement was lost")

    def _record(self, stream: UUID, events: list[Event], owner: UUID | None) -> None:
        self.appends += 1
        self._streams.setdefault(stream, []).extend((STORED_NAMES[type(event)], encode(event)) for event in events)
        scheduled: set[str] = set()
        for event in events:
            if isinstance(event, StepScheduled):
                scheduled.add(event.step)
                self.due_steps[stream, event.step] = (event.attempt, None)
                self._unowned.append((stream, event.step))
            elif isinstance(event, StepStarted) and event.step in scheduled:
                self.due_steps[stream, event.step] = (event.attempt, owner)
            elif type(event) in REMOVES:
                self.due_steps.pop((stream, event.step), None)  # type: ignore[attr-defined]

    def stream(self, stream: UUID) -> list[Event]:
        """Every event of a stream, read anew from what is stored."""
        return [decode(topic, state) for topic, state in self._streams.get(stream, ())]

    def streams(self, streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
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
