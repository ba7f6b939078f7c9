"""The messages between executions that are still to be handled, folded from the log event by event."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from psycopg.rows import TupleRow

from domain.catalogue import STORED_NAMES
from domain.executions.events.child import ChildStarted, SubProcessClosed
from domain.executions.events.outcomes import ATTEMPT_STATUS, ENDS_EXECUTION
from domain.executions.events.repetition import ItemCompleted, ItemFailed, RoundCompleted
from domain.executions.events.step import StepSkipped
from domain.schedules.events import ScheduleFired, ScheduleRunEnded
from store.mapper import decode

CallKey = tuple[bytes, int]
"""The event that sends the message: stream and version."""

ENDS = frozenset(STORED_NAMES[kind] for kind in ENDS_EXECUTION)
# After these no step waits for its child any more.
STEP_ENDS = frozenset((*(STORED_NAMES[kind] for kind in ATTEMPT_STATUS), STORED_NAMES[StepSkipped]))
OTHERS = frozenset(
    (
        "CompensationRequired",
        "ExecutionRetried",
        "ExecutionStarted",
        "ItemCompleted",
        "ItemFailed",
        "ItemStarted",
        "RoundCompleted",
        "SubProcessClosed",
        "SubProcessStarted",
    )
)
SCHEDULES = frozenset(STORED_NAMES[kind] for kind in (ScheduleFired, ScheduleRunEnded))
TOPICS = sorted(ENDS | STEP_ENDS | OTHERS | SCHEDULES)


class _Call(msgspec.Struct):
    """A call by a parent that has not ended. over: the child has ended or is about to."""

    parent: bytes
    step: str
    waits: bool
    over: bool = False


class _Step(msgspec.Struct, gc=False):
    """The part of an event that ends a step which the fold reads."""

    step: str


class _Run(msgspec.Struct, gc=False):
    """The part of a schedule's event about an execution that the fold reads."""

    execution_id: UUID


_run = msgspec.json.Decoder(_Run).decode
_step = msgspec.json.Decoder(_Step).decode


class Calls:
    """Follows every parent execution, every child execution, and the running executions of schedules."""

    def __init__(self) -> None:
        self._starting: dict[bytes, CallKey] = {}
        self._closing: dict[bytes, dict[CallKey, bytes]] = {}
        self._reporting: dict[bytes, dict[CallKey, bytes]] = {}
        # By child, while its parent has not ended; the children of each parent; by step, those that it waits for.
        self._calls: dict[bytes, _Call] = {}
        self._children: dict[bytes, list[bytes]] = {}
        self._waiting: dict[tuple[bytes, str], set[bytes]] = {}
        self._scheduled: dict[bytes, bytes] = {}

    def unhandled(self) -> dict[CallKey, bytes]:
        """Return the messages that something still depends on, with their recipients.

        They start a child, close one that is not ending yet, or report the end of a child to a parent that waits.
        """
        found = {key: child for child, key in self._starting.items()}
        for messages in (*self._closing.values(), *self._reporting.values()):
            found |= messages
        return found

    def fold(self, rows: Iterable[TupleRow]) -> None:
        """Fold rows (position, stream, version, topic, state) of TOPICS, in their order, into the calls."""
        for _, stream, version, topic, state in rows:
            if topic in STEP_ENDS:
                if stream in self._children:
                    self._wait_no_longer(stream, _step(state).step)
            elif topic == "ExecutionStarted":
                self._starting.pop(stream, None)
            elif topic in ENDS:
                self._ends((stream, version))
            elif topic in SCHEDULES:
                self._schedule(stream, topic, state)
            elif topic in OTHERS:
                self._other((stream, version), topic, state)

    def _schedule(self, schedule: bytes, topic: str, state: bytes) -> None:
        execution = _run(state).execution_id.bytes
        if topic == "ScheduleFired":
            self._scheduled[execution] = schedule
        else:
            self._scheduled.pop(execution, None)
            self._reporting.pop(execution, None)

    def _other(self, key: CallKey, topic: str, state: bytes) -> None:
        stream = key[0]
        if topic == "CompensationRequired":
            self._over(stream)
        elif topic == "ExecutionRetried":
            if stream in self._calls:
                self._calls[stream].over = False
        else:
            event = decode(topic, state)
            if isinstance(event, ChildStarted):
                self._started(key, event)
            elif isinstance(event, SubProcessClosed):
                self._closed(key, event.child.bytes)
            elif isinstance(event, ItemCompleted | ItemFailed | RoundCompleted) and event.child is not None:
                self._release(event.child.bytes)

    def _started(self, key: CallKey, event: ChildStarted) -> None:
        parent, child = key[0], event.child.bytes
        self._starting[child] = key
        self._calls[child] = _Call(parent, event.step, event.waits)
        self._children.setdefault(parent, []).append(child)
        if event.waits:
            self._waiting.setdefault((parent, event.step), set()).add(child)

    def _closed(self, key: CallKey, child: bytes) -> None:
        call = self._calls.get(child)
        if call is None:
            return
        if not call.over:
            self._closing.setdefault(child, {})[key] = child
        if call.waits:
            self._release(child)

    def _ends(self, key: CallKey) -> None:
        stream = key[0]
        call = self._calls.get(stream)
        if call is not None and call.waits:
            self._reporting.setdefault(stream, {})[key] = call.parent
        if stream in self._scheduled:
            self._reporting.setdefault(stream, {})[key] = self._scheduled[stream]
        self._over(stream)
        for child in self._children.pop(stream, ()):
            gone = self._calls.pop(child)
            self._waiting.pop((stream, gone.step), None)
            self._reporting.pop(child, None)

    def _over(self, child: bytes) -> None:
        """Note that `child` ends, or compensates and then ends: there is nothing left to close."""
        self._closing.pop(child, None)
        if child in self._calls:
            self._calls[child].over = True

    def _wait_no_longer(self, parent: bytes, step: str) -> None:
        for child in list(self._waiting.get((parent, step), ())):
            self._release(child)

    def _release(self, child: bytes) -> None:
        """Note that the parent does not wait for `child`."""
        call = self._calls.get(child)
        if call is None:
            return
        waiting = self._waiting.get((call.parent, call.step))
        if waiting is not None:
            waiting.discard(child)
            if not waiting:
                del self._waiting[call.parent, call.step]
        call.waits = False
        self._reporting.pop(child, None)
