"""What happened, told event by event."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.event import Event
from domain.executions.events.child import Parent, SubProcessStarted
from domain.executions.events.execution import ExecutionStarted, Trigger
from domain.executions.events.step import StepScheduled
from domain.identity import process_id

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Happened = list[tuple[UUID, Event]]


class Story:
    """Events of a few executions, processes and agents, each stamped a second after the one before."""

    def __init__(self) -> None:
        self.happened: Happened = []
        self.appended = 0

    def tell(self, stream: UUID, kind: type[Event], /, **facts: Any) -> "Story":
        at = BEGIN + timedelta(seconds=len(self.happened))
        self.happened.append((stream, kind(at=at, actor="user:ann", **facts)))
        return self

    def start(self, execution: UUID, process: str = "p", /, **facts: Any) -> "Story":
        given = {"version": 1, "input": {"n": 1}, "steps": 2, "trigger": Trigger("manual")} | facts
        return self.tell(execution, ExecutionStarted, process_id=process_id(process), process=process, **given)

    def end(self, execution: UUID, kind: type[Event], process: str = "p", /, **facts: Any) -> "Story":
        return self.tell(execution, kind, process_id=process_id(process), version=1, started_at=BEGIN, **facts)

    def schedule(self, execution: UUID, step: str = "a", attempt: int = 1) -> "Story":
        facts = {"agent": "echo", "message": f"do {step}", "parameters": {"k": attempt}}
        return self.tell(execution, StepScheduled, step=step, attempt=attempt, **facts)

    def call(self, path: list[UUID], execution: UUID, process: str = "c", /, **facts: Any) -> "Story":
        """Step `call` of the last execution of `path`, which leads there from the root, starts `execution`."""
        parent = Parent(path[-1], "call", facts.pop("attempt", 1), path[0], len(path), path)
        asked = {"step": "call", "attempt": parent.attempt, "child": execution, "process_id": process_id(process)}
        place = {"root": parent.root, "depth": parent.depth, "path": path}
        self.tell(path[-1], SubProcessStarted, process=process, version=1, input={"n": 1}, **asked, **place)
        return self.start(execution, process, parent=parent, trigger=Trigger("sub_process", "call"), **facts)
