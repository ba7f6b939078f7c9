"""The changes that one decision has the store record, and the errors that the store raises or returns."""

from uuid import UUID

import msgspec

from domain.event import Event
from domain.executions.events.execution import ExecutionAdmitted
from domain.executions.state.slot import Slot
from domain.executions.timers import DueTimes, TimerKey
from store.bounded import encoded
from store.connections import DatabaseFailure as DatabaseFailure
from store.connections import Outage as Outage
from store.trouble import StoreRefuses, Trouble


class AnsweredStep(msgspec.Struct, frozen=True):
    """A command's Idempotency-Key, a digest of its request, the answer to repeat (JSON, without position)."""

    key: str
    fingerprint: bytes
    answer: bytes


MessageKey = tuple[UUID, int]
"""The event that sends the message: its stream and version."""


LineKey = tuple[UUID, str]
"""The executions of a process that wait for the slots of one key."""


class StreamChange(msgspec.Struct):
    """Events that one decision adds to one stream, and its changes beside them.

    version: the version the stream is expected to have before. owner: the worker that takes the attempts that
    `events` start, and handles their messages. timers_set, timers_dropped: changes of the execution's timers.
    handled: messages that this decision answers; if one is not there, nothing is recorded.
    states: the stored form of `events`, empty until it is made. size: its bytes. slot: the change of a slot of the
    execution's process, if that limits how many run. process_id: the process of the execution, if the stream is one:
    attempts that become due wait for the turn of their process.
    """

    stream: UUID
    version: int
    events: list[Event]
    owner: UUID | None = None
    timers_set: DueTimes = {}
    timers_dropped: list[TimerKey] = []
    handled: list[MessageKey] = []
    slot: Slot | None = None
    process_id: UUID | None = None
    states: list[bytes] = []
    size: int = 0

    def encode(self) -> int:
        """Make the stored form of the events unless it is made; return its bytes. Raises EventTooLarge."""
        if len(self.states) != len(self.events):
            self.states, self.size = encoded(self.events)
        return self.size


class Unit(StreamChange):
    """Changes that are recorded together or not at all: of one stream, and of those in `before`.

    guards: streams and versions that the decision rests on; if one has moved on, nothing is recorded.
    answered: the answer of the command, kept under its Idempotency-Key.
    before: changes of other streams, whose events come before those of this one. epoch: of the log that the decision
    rests on; None: the one in which the command began, or the present one.
    """

    guards: tuple[tuple[UUID, int], ...] = ()
    answered: AnsweredStep | None = None
    before: tuple[StreamChange, ...] = ()
    epoch: str | None = None

    def encode(self) -> int:
        """Make the stored form of all changes unless it is made; return its bytes. Raises EventTooLarge."""
        size = super().encode()
        return size + sum(change.encode() for change in self.before) if self.before else size

    @property
    def changes(self) -> tuple[StreamChange, ...]:
        """Every change of the unit, in the order of their events."""
        return (*self.before, self)

    @property
    def admits_from(self) -> LineKey | None:
        """The line from which the unit admits an execution within a limit, if it does."""
        if self.slot is None or not any(isinstance(e, ExecutionAdmitted) and e.limit is not None for e in self.events):
            return None
        return self.slot.process_id, self.slot.key


class StoreError(Exception):
    """Recording did not succeed.

    StoreError
    ├── Conflict             a stream has moved on: read it again and decide again
    │   ├── EventsMissing    it rests on events that the log lacks
    │   ├── SlotsTaken       another append took the last free slot: the execution waits on
    │   └── EpochOver        it rests on an epoch of the log that is over: forget everything read before
    ├── KeyTaken             the Idempotency-Key has been used: give its first answer
    ├── UnitRefused          the server, or the encoding, refuses this unit whatever the state: set it aside
    └── OutcomeUnknown       the connection was lost: read again, then decide again
        ├── AppendRefused    the database refuses to record, for a known reason: nothing was recorded
        └── AppendOverdue    the database did not answer in time; it may record the unit later
    """


class Conflict(StoreError):
    """Another append changed the stream, or one that the decision rests on, or handled the same message first.

    Nothing was recorded.
    """


class EventsMissing(Conflict):
    """The log lacks an event that the unit rests on: lost in a failover, or its stream has a hole."""


class SlotsTaken(Conflict):
    """Another append took the last free slot of a line since this one's worker read it: the execution waits on."""


FullLines = dict[LineKey, SlotsTaken]
"""The refusal of the first that found no slot in a line: none behind it may begin in the same call."""


class EpochOver(Conflict):
    """Another server has taken over since the decision read the log: events of the same numbers may be others."""


class KeyTaken(StoreError):
    """The Idempotency-Key is in use already; nothing was recorded."""


class UnitRefused(StoreError):
    """The unit cannot be recorded as it is: too long, a character or a check of the server; nothing was recorded."""


class OutcomeUnknown(StoreError):
    """The connection was lost in the middle: only the log shows whether the unit was recorded.

    alone: the append held no other unit, so this one may be the reason.
    """

    def __init__(self, message: str, *, alone: bool = False) -> None:
        super().__init__(message)
        self.alone = alone


class AppendRefused(StoreRefuses, OutcomeUnknown):
    """The database refuses to record: its disk is full, it is read-only, or the like. `trouble` states which."""

    def __init__(self, trouble: Trouble, *, alone: bool = False) -> None:
        StoreRefuses.__init__(self, trouble)
        self.alone = alone


class AppendOverdue(OutcomeUnknown):
    """An append took longer than its limit: the database may record the unit later, once what it waits for is over."""

    def __init__(self, trouble: Trouble, seconds: float) -> None:
        super().__init__(f"it is not known whether this was recorded within {seconds:g} s: {trouble.detail}")
        self.trouble = trouble
