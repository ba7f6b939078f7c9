"""Checks every append of a simulation against rules that must hold at every moment."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from simulated_processes import Kept

from domain.executions.events.child import SubProcessClosed
from domain.executions.events.compensation import CompensationRequired
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionEnded,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.state.model import rank_of
from domain.processes.events import ProcessArchived, ProcessPaused, ProcessPublished, ProcessResumed
from domain.processes.plan import PlannedSubProcess
from store.unit import MessageKey, StreamChange


class InLine(NamedTuple):
    """An execution that waits, in the order of its line. joined: the number of the append that put it there."""

    rank: datetime
    joined: int
    id: UUID


Line = tuple[UUID, str]


class Watch:
    """Follows every execution by its events: its status, and its turn in a process with a limit.

    lines_read: by worker, the number of appends before it read the lines that it admits from. closing: by the message
    that closes it, each child that has not received it. overlapped: how many batches followed another one of their
    worker that was on its way.
    """

    def __init__(self, plans: Kept) -> None:
        self._plans = plans
        self._latest: dict[UUID, int] = {}
        self._status: dict[UUID, str] = {}
        self._started: dict[UUID, ExecutionStarted] = {}
        self.lines_read: dict[UUID, int] = {}
        self.overtaken = 0
        self.overlapped = 0
        self._appends = 0
        self._paused: dict[UUID, int] = {}
        self._resumed: dict[UUID, int] = {}
        self._lines: dict[UUID, Line] = {}
        self._waiting: defaultdict[Line, dict[UUID, InLine]] = defaultdict(dict)
        self._admitted: defaultdict[Line, set[UUID]] = defaultdict(set)
        self._limits: dict[Line, int] = {}
        self.closing: dict[MessageKey, UUID] = {}

    def check(self, unit: StreamChange, together: set[UUID]) -> None:
        """Check a recorded change. together: the streams of the units submitted in the same append."""
        self._appends += 1
        for version, event in enumerate(unit.events, unit.version + 1):
            match event:
                case ProcessPublished(version=latest):
                    self._latest[unit.stream] = latest
                case ProcessArchived():
                    del self._latest[unit.stream]
                case ProcessPaused():
                    self._paused[unit.stream] = self._appends
                case ProcessResumed():
                    del self._paused[unit.stream]
                    self._resumed[unit.stream] = self._appends
                case ExecutionStarted():
                    self._start(unit.stream, event)
                case ExecutionQueued():
                    self._queue(unit.stream, event)
                case ExecutionAdmitted():
                    self._admit(unit.stream, event, unit.owner, together)
                case CompensationRequired():
                    self._status[unit.stream] = "compensating"
                case ExecutionRetried():
                    self._status[unit.stream] = "running"
                case ExecutionEnded():
                    self._end(unit.stream)
                case SubProcessClosed():
                    self.closing[unit.stream, version] = event.child
        # An execution that ends in the append that admits it takes no slot.
        line = self._lines.get(unit.stream)
        if line is not None and line in self._limits:
            assert len(self._admitted[line]) <= self._limits[line], "no more of a key run than max_running allows"
        self.drop(unit.handled)

    def drop(self, messages: Iterable[MessageKey]) -> None:
        """Check messages that have left the outbox, handled or dropped."""
        for key in messages:
            child = self.closing.pop(key, None)
            if child is not None:
                assert self._status[child] not in ("running", "queued"), "a closed child does not continue"

    def _start(self, id: UUID, event: ExecutionStarted) -> None:
        self._started[id], self._status[id] = event, "running"
        steps = self._plans[event.process_id, event.version].inner(event.body).steps.values()
        calls = [step for step in steps if isinstance(step, PlannedSubProcess) and step.process_id in self._latest]
        now = {step.id: step.version or self._latest[step.process_id] for step in calls}
        assert event.pinned == now, "the start pins the callees that are latest at that moment"

    def _queue(self, id: UUID, event: ExecutionQueued) -> None:
        self._status[id], self._lines[id] = "queued", (event.process_id, event.slot_key)
        rank = rank_of(event.at, event.priority)
        self._waiting[self._lines[id]][id] = InLine(rank, self._appends, id)

    def _admit(self, id: UUID, event: ExecutionAdmitted, worker: UUID | None, together: set[UUID]) -> None:
        assert worker is not None
        self._status[id], line = "running", self._lines[id]
        waiting = self._waiting[line]
        own = waiting.pop(id)
        process, read = event.process_id, self.lines_read[worker]
        called = self._started[id].parent is not None
        if process in self._paused and not called:
            assert own.joined <= self._paused[process], "nothing begins that was started during a pause"
        ahead = {each.id for each in waiting.values() if each < own and each.joined <= read}
        if called and (process in self._paused or self._resumed.get(process, 0) > read):
            ahead = {each for each in ahead if self._started[each].parent is not None}
        # The same append submitted those before it too, and lost the connection for them alone.
        assert ahead <= together, "the execution that is first in its line is admitted first"
        self.overtaken += any(each.joined < own.joined for each in waiting.values())
        limit = self._plans[process, self._started[id].version].max_running
        assert event.limit == limit
        if limit is not None:
            self._admitted[line].add(id)
            self._limits[line] = limit

    def _end(self, id: UUID) -> None:
        assert self._status[id] in ("running", "queued", "compensating"), "an execution ends once"
        self._status[id] = "ended"
        line = self._lines.get(id)
        if line is not None:
            self._admitted[line].discard(id)
            self._waiting[line].pop(id, None)
