"""Checks every append of a simulation against rules that must hold at every moment."""

from collections import defaultdict
from collections.abc import Iterable
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
from domain.processes.events import ProcessArchived, ProcessPublished
from domain.processes.plan import PlannedSubProcess
from store.unit import MessageKey, Unit


class Watch:
    """Follows every execution by its events: its status, and its turn in a process with a limit."""

    def __init__(self, plans: Kept) -> None:
        self._plans = plans
        self._latest: dict[UUID, int] = {}
        self._status: dict[UUID, str] = {}
        self._started: dict[UUID, ExecutionStarted] = {}
        self._waiting: defaultdict[UUID, list[UUID]] = defaultdict(list)
        self._admitted: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._closing: dict[MessageKey, UUID] = {}

    def check(self, unit: Unit, together: set[UUID]) -> None:
        """Check a recorded unit. together: the streams of the units submitted in the same append."""
        for version, event in enumerate(unit.events, unit.version + 1):
            match event:
                case ProcessPublished(version=latest):
                    self._latest[unit.stream] = latest
                case ProcessArchived():
                    del self._latest[unit.stream]
                case ExecutionStarted():
                    self._start(unit.stream, event)
                case ExecutionQueued(process_id=process):
                    self._status[unit.stream] = "queued"
                    self._waiting[process].append(unit.stream)
                case ExecutionAdmitted(process_id=process):
                    self._admit(unit.stream, process, together)
                case CompensationRequired():
                    self._status[unit.stream] = "compensating"
                case ExecutionRetried():
                    self._status[unit.stream] = "running"
                case ExecutionEnded():
                    self._end(unit.stream, event.process_id)
                case SubProcessClosed():
                    self._closing[unit.stream, version] = event.child
        self.drop(unit.handled)

    def drop(self, messages: Iterable[MessageKey]) -> None:
        """Check messages that have left the outbox, handled or dropped."""
        for key in messages:
            child = self._closing.pop(key, None)
            if child is not None:
                assert self._status[child] not in ("running", "queued"), "a closed child does not continue"

    def _start(self, id: UUID, event: ExecutionStarted) -> None:
        self._started[id], self._status[id] = event, "running"
        steps = self._plans[event.process_id, event.version].inner(event.body).steps.values()
        calls = [step for step in steps if isinstance(step, PlannedSubProcess) and step.process_id in self._latest]
        now = {step.id: step.version or self._latest[step.process_id] for step in calls}
        assert event.pinned == now, "the start pins the callees that are latest at that moment"

    def _admit(self, id: UUID, process: UUID, together: set[UUID]) -> None:
        self._status[id] = "running"
        line = self._waiting[process]
        # The same append submitted the longer waiting executions too, and lost the connection for them alone.
        assert together.issuperset(line[: line.index(id)]), "the execution that waited longest is admitted first"
        line.remove(id)
        self._admitted[process].add(id)
        limit = self._plans[process, self._started[id].version].max_running
        assert limit is not None
        assert len(self._admitted[process]) <= limit, "no more executions run than max_running allows"

    def _end(self, id: UUID, process: UUID) -> None:
        assert self._status[id] in ("running", "queued", "compensating"), "an execution ends once"
        self._status[id] = "ended"
        self._admitted[process].discard(id)
        if id in self._waiting[process]:
            self._waiting[process].remove(id)
