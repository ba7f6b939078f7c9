"""The changes that one decision has the store record, and the errors that the store raises or returns."""

from uuid import UUID

import msgspec

from domain.event import Event
from domain.executions.slots import Slot
from domain.executions.timers import DueTimes, TimerKey
from store.connections import Outage as Outage


class AnsweredStep(msgspec.Struct, frozen=True):
    """A command's Idempotency-Key, a digest of its request, the answer to repeat (JSON, without position)."""

    key: str
    fingerprint: bytes
    answer: bytes


MessageKey = tuple[UUID, int]
"""The event that sends the message: its stream and version."""


class StreamChange(msgspec.Struct):
    """Events that one decision adds to one stream, and its changes beside them.

    version: the version the stream is expected to have before. owner: the worker that takes the attempts that
    `events` start, and handles their messages. timers_set, timers_dropped: changes of the execution's timers.
    handled: messages that this decision answers; if one is not there, nothing is recorded.
    slot: the change of a slot of the execution's process, if that limits how many run. process_id: the process of the
    execution, if the stream is one: attempts that become due wait for the turn of their process.
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

    @property
    def states_more(self) -> bool:
        """Whether the decision changes something beside its events; most do not."""
        return bool(self.timers_set or self.timers_dropped or self.handled or self.slot is not None)


class Unit(StreamChange):
    """Changes that are recorded together or not at all: of one stream, and of those in `before`.

    guards: streams and versions that the decision rests on; if one has moved on, nothing is recorded.
    answered: the answer of the command, kept under its Idempotency-Key.
    before: changes of other streams, whose events come before those of this one.
    """

    guards: tuple[tuple[UUID, int], ...] = ()
    answered: AnsweredStep | None = None
    before: tuple[StreamChange, ...] = ()

    @property
    def changes(self) -> tuple[StreamChange, ...]:
        """Every change of the unit, in the order of their events."""
        return (*self.before, self)


class StoreError(Exception):
    """Recording did not succeed.

    StoreError
    ├── Conflict             a stream has moved on: read it again and decide again
    ├── KeyTaken             the Idempotency-Key has been used: give its first answer
    └── OutcomeUnknown       the connection was lost: read again, then decide again
    """


class Conflict(StoreError):
    """Another append changed the stream, or one that the decision rests on, or handled the same message first.

    Nothing was recorded.
    """


class KeyTaken(StoreError):
    """The Idempotency-Key is in use already; nothing was recorded."""


class OutcomeUnknown(StoreError):
    """The connection was lost in the middle: only the log shows whether the unit was recorded."""
