"""Random histories of executions as the engine records them: retries, attempts in parallel, children, late costs."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.event import Event
from domain.executions.events.approval import ApprovalRequested
from domain.executions.events.child import Parent, SubProcessStarted
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
    Trigger,
)
from domain.executions.events.step import (
    StepAccepted,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepRetried,
    StepRetryScheduled,
    StepScheduled,
    StepStarted,
    StepTimedOut,
)
from domain.executions.events.timer import TimerStarted
from domain.identity import process_id
from domain.money import Money
from tests.projections.stories import BEGIN, Happened

STEPS = ("a", "b", "c", "d")
AGENTS = ("echo", "echo", "writer")
CODES = ("agent_error", "step_timed_out", "approval_expired")


class MeasuredRun:
    """An execution as the story holds it. open: its open steps, and their attempts and states; started: since when."""

    def __init__(self, id: UUID, process: str, version: int, path: list[UUID]) -> None:
        self.id, self.process, self.version, self.path = id, process, version, path
        self.open: dict[str, list[Any]] = {}
        self.started: dict[str, datetime] = {}
        self.left = list(STEPS)
        self.unfinished: list[str] = []
        self.status = "running"
        self.events = 0
        self.costs: dict[int, tuple[str, Money | None]] = {}


class MeasuredStory:
    """What happened to a few executions, of which each event is possible after those before."""

    def __init__(self, seed: int, events: int) -> None:
        self.random, self.now = Random(seed), BEGIN + timedelta(hours=23, minutes=50)
        self.happened: Happened = []
        self.runs: list[MeasuredRun] = []
        while len(self.happened) < events:
            self.now += timedelta(microseconds=self.random.choice((0, 1, 999_983, 37_000_000, 3_000_000_000)))
            self.happen()

    def tell(self, run: MeasuredRun, kind: type[Event], **facts: Any) -> None:
        self.happened.append((run.id, kind(at=self.now, actor="user:ann", **facts)))
        run.events += 1

    def happen(self) -> None:
        run = self.random.choice(self.runs) if self.runs else None
        if run is None or (len(self.runs) < 6 and self.random.random() < 0.1):
            self.start(None)
        elif self.random.random() < 0.15:
            self.spend(run)
        elif run.status == "failed" and run.unfinished and self.random.random() < 0.5:
            run.status = "running"
            run.left += run.unfinished
            self.tell(run, ExecutionRetried, reason="again", steps=run.unfinished)
            for step in run.unfinished:
                self.begin(run, step, 2)
            run.unfinished = []
        elif run.status == "queued":
            run.status = "running"
            self.tell(run, ExecutionAdmitted, process_id=process_id(run.process))
        elif run.status == "running":
            self.proceed(run)

    def start(self, parent: MeasuredRun | None, step: str = "") -> None:
        path = [] if parent is None else [*parent.path, parent.id]
        number = len(self.runs)
        run = MeasuredRun(UUID(int=number + 1), f"p{number % 2}", 1 + number % 3 // 2, path)
        facts: dict[str, Any] = {"process_id": process_id(run.process), "process": run.process, "version": run.version}
        wait = self.random.random() < 0.7
        if parent is not None:
            called = {
                "child": run.id,
                "input": self.input(),
                "root": path[0],
                "depth": len(path),
                "path": path,
                "wait": wait,
            }
            self.tell(parent, SubProcessStarted, step=step, attempt=1, **called, **facts)
            if not wait:
                self.tell(parent, StepCompleted, step=step, attempt=1, output=None, started_at=self.now)
                del parent.open[step]
            facts |= {"parent": Parent(parent.id, step, 1, path[0], len(path), path, wait)}
        self.runs.append(run)
        trigger = Trigger("manual" if parent is None else "sub_process")
        self.tell(run, ExecutionStarted, input=self.input(), steps=len(STEPS), trigger=trigger, **facts)
        if self.random.random() < 0.3:
            run.status = "queued"
            self.tell(run, ExecutionQueued, process_id=process_id(run.process))

    def proceed(self, run: MeasuredRun) -> None:
        """Let a step begin or go on, or end the execution."""
        if run.left and self.random.random() < 0.4:
            self.begin(run, self.random.choice(run.left), 1)
        elif run.open:
            self.go_on(run, self.random.choice(list(run.open)))
        else:
            self.end(run, self.random.choice((ExecutionCompleted, ExecutionCompleted, ExecutionCancelled)))

    def begin(self, run: MeasuredRun, step: str, attempt: int) -> None:
        run.left.remove(step)
        kind = self.random.choice(("agent", "agent", "agent", "timer", "approval", "child"))
        run.open[step] = [attempt, kind]
        facts: dict[str, Any] = {"step": step, "attempt": attempt}
        if kind == "agent":
            self.schedule(run, step)
        elif kind == "timer":
            self.tell(run, TimerStarted, due_at=self.now, **facts)
        elif kind == "approval":
            asked = {
                "approval_id": "id",
                "process_id": process_id(run.process),
                "process": run.process,
                "title": "May?",
            }
            self.tell(run, ApprovalRequested, **facts, **asked)
        elif len(run.path) < 2 and len(self.runs) < 9:
            self.start(run, step)
        else:
            run.open[step][1] = "timer"
            self.tell(run, TimerStarted, due_at=self.now, **facts)

    def schedule(self, run: MeasuredRun, step: str) -> None:
        facts = {"step": step, "attempt": run.open[step][0]}
        self.tell(run, StepScheduled, agent=self.random.choice(AGENTS), message=None, **facts)
        run.open[step][1] = "scheduled"
        run.started.pop(step, None)
        if self.random.random() < 0.5:
            self.start_attempt(run, step)

    def start_attempt(self, run: MeasuredRun, step: str) -> None:
        self.tell(run, StepStarted, step=step, attempt=run.open[step][0])
        run.open[step][1], run.started[step] = "started", self.now

    def go_on(self, run: MeasuredRun, step: str) -> None:
        state, chance = run.open[step], self.random.random()
        facts = {"step": step, "attempt": state[0]}
        if state[1] == "scheduled":
            self.start_attempt(run, step)
        elif state[1] == "retrying":
            self.schedule(run, step)
        elif state[1] == "started" and chance < 0.15:
            self.tell(run, StepAccepted, **facts)
        elif state[1] == "started" and chance < 0.25:
            self.tell(run, StepCancelled, reason="retried", **facts)
            self.tell(run, StepRetried, step=step, reason="stuck")
            state[0] += 1
            self.schedule(run, step)
        elif chance < 0.7:
            self.tell(run, StepCompleted, output=None, started_at=run.started.get(step, self.now), **facts)
            del run.open[step]
        else:
            error = StepError(self.random.choice(CODES), "no")
            if chance < 0.85:
                self.tell(run, StepFailed, error=error, started_at=run.started.get(step), **facts)
            else:
                self.tell(run, StepTimedOut, scope="attempt", started_at=run.started.get(step), **facts)
            if state[1] == "started" and chance < 0.9:
                state[0] += 1
                state[1] = "retrying"
                self.tell(run, StepRetryScheduled, step=step, attempt=state[0], due_at=self.now, code=error.code)
            else:
                self.end(run, ExecutionFailed, error=error, step=step)

    def end(self, run: MeasuredRun, kind: type[Event], **facts: Any) -> None:
        failed = facts.get("step")
        for step, (attempt, _) in run.open.items():
            if step != failed:
                self.tell(run, StepCancelled, step=step, attempt=attempt, reason="execution_failed")
        run.unfinished, run.open = list(run.open), {}
        run.status = "failed" if kind is ExecutionFailed else "ended"
        given: dict[str, Any] = {ExecutionCompleted: {"outputs": {}}, ExecutionCancelled: {"reason": "enough"}}.get(
            kind, {}
        )
        self.tell(
            run, kind, process_id=process_id(run.process), version=run.version, started_at=BEGIN, **facts, **given
        )

    def spend(self, run: MeasuredRun) -> None:
        """Record a cost, also after the end, or correct one."""
        if run.costs and self.random.random() < 0.4:
            recorded, (step, before) = self.random.choice(list(run.costs.items()))
            after = self.money()
            self.tell(
                run,
                CostCorrected,
                step=step,
                attempt=1,
                recorded=recorded,
                before=before,
                after=after,
                called_at=self.now,
            )
            run.costs[recorded] = step, after
            return
        cost, step = self.money(), self.random.choice(STEPS)
        usage = Usage(3, 2) if cost is None or self.random.random() < 0.5 else None
        called_at: datetime | None = self.random.choice((None, BEGIN))
        self.tell(
            run,
            CostRecorded,
            step=step,
            attempt=1,
            agent=self.random.choice(AGENTS),
            usage=usage,
            cost=cost,
            called_at=called_at,
        )
        run.costs[run.events] = step, cost

    def input(self) -> dict[str, str]:
        """Return an input, at times a large one."""
        return {"text": "nul \0 in it" + "ä" * 40_000} if self.random.random() < 0.1 else {}

    def money(self) -> Money | None:
        amounts = (None, Decimal(0), Decimal("0.0049"), Decimal("1.50"), Decimal("7E+2"))
        amount = self.random.choice(amounts)
        return None if amount is None else Money(amount, self.random.choice(("USD", "USD", "EUR")))
