"""The state of an execution, and how each event changes it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.event import Event
from domain.executions.events import (
    CostRecorded,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
    StepAccepted,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepReclaimed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    Trigger,
)
from domain.money import Money
from domain.processes.plan import Plan

RUNNING, COMPLETED, FAILED, CANCELLED = "running", "completed", "failed", "cancelled"
SCHEDULED, STARTED, ACCEPTED, SKIPPED = "scheduled", "started", "accepted", "skipped"
UNDER_WAY = frozenset((SCHEDULED, STARTED, ACCEPTED))


class StepState(msgspec.Struct, frozen=True, gc=False):
    """One step so far: status, the number of its latest attempt, and what that attempt was given and gave."""

    status: str
    attempt: int
    agent: str = ""
    message: Any = None
    parameters: dict[str, Any] = {}
    output: Any = None
    error: StepError | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    costs: tuple[Money, ...] = ()


class Execution(msgspec.Struct):
    """One run of a process.

    version: number of events folded so far. waiting: per step, how many of its dependencies have not ended.
    open: steps that have not ended. The plan is immutable and shared by all executions of that version.
    """

    id: UUID
    plan: Plan
    version: int = 0
    status: str = ""
    input: dict[str, Any] = {}
    trigger: Trigger = Trigger()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: dict[str, StepState] = {}
    waiting: dict[str, int] = {}
    open: int = 0

    def copy(self) -> "Execution":
        """A copy that can be evolved without touching this one."""
        return Execution(
            self.id,
            self.plan,
            self.version,
            self.status,
            self.input,
            self.trigger,
            self.started_at,
            self.ended_at,
            self.steps.copy(),
            self.waiting.copy(),
            self.open,
        )


def evolve(execution: Execution, event: Event) -> Execution:
    """The state after `event`. The execution given is changed and returned: decisions evolve a copy of theirs."""
    _EVOLVE[type(event)](execution, event)
    execution.version += 1
    return execution


def fold(execution: Execution, events: Iterable[Event]) -> Execution:
    """The state after all `events`, in order; `execution` itself is left alone."""
    folded = execution.copy()
    for event in events:
        evolve(folded, event)
    return folded


def _started(execution: Execution, event: ExecutionStarted) -> None:
    execution.status = RUNNING
    execution.input = event.input
    execution.trigger = event.trigger
    execution.started_at = event.at
    execution.waiting = {step.id: len(step.depends_on) for step in execution.plan.steps.values() if step.depends_on}
    execution.open = len(execution.plan.steps)


def _step_scheduled(execution: Execution, event: StepScheduled) -> None:
    before = execution.steps.get(event.step)
    costs = before.costs if before else ()
    execution.steps[event.step] = StepState(
        SCHEDULED, event.attempt, event.agent, event.message, event.parameters, costs=costs
    )


def _step_started(execution: Execution, event: StepStarted) -> None:
    step = execution.steps[event.step]
    execution.steps[event.step] = StepState(
        STARTED, step.attempt, step.agent, step.message, step.parameters, started_at=event.at, costs=step.costs
    )


def _step_reclaimed(execution: Execution, event: StepReclaimed) -> None:
    """The attempt goes on as it was."""


def _step_accepted(execution: Execution, event: StepAccepted) -> None:
    execution.steps[event.step] = msgspec.structs.replace(execution.steps[event.step], status=ACCEPTED)


def _step_completed(execution: Execution, event: StepCompleted) -> None:
    step = execution.steps[event.step]
    execution.steps[event.step] = StepState(
        COMPLETED,
        step.attempt,
        step.agent,
        output=event.output,
        started_at=step.started_at,
        ended_at=event.at,
        costs=step.costs,
    )
    _close(execution, event.step)


def _step_failed(execution: Execution, event: StepFailed) -> None:
    step = execution.steps.get(event.step) or StepState(SCHEDULED, event.attempt)
    execution.steps[event.step] = msgspec.structs.replace(step, status=FAILED, error=event.error, ended_at=event.at)
    _close(execution, event.step)


def _step_skipped(execution: Execution, event: StepSkipped) -> None:
    execution.steps[event.step] = StepState(SKIPPED, 0, ended_at=event.at)
    _close(execution, event.step)


def _step_cancelled(execution: Execution, event: StepCancelled) -> None:
    step = execution.steps[event.step]
    execution.steps[event.step] = msgspec.structs.replace(step, status=CANCELLED, ended_at=event.at)
    _close(execution, event.step)


def _close(execution: Execution, step: str) -> None:
    execution.open -= 1
    waiting = execution.waiting
    for dependent in execution.plan.steps[step].dependents:
        waiting[dependent] -= 1


def _cost_recorded(execution: Execution, event: CostRecorded) -> None:
    if event.cost is not None:
        step = execution.steps[event.step]
        execution.steps[event.step] = msgspec.structs.replace(step, costs=(*step.costs, event.cost))


def _completed(execution: Execution, event: ExecutionCompleted) -> None:
    execution.status, execution.ended_at = COMPLETED, event.at


def _failed(execution: Execution, event: ExecutionFailed) -> None:
    execution.status, execution.ended_at = FAILED, event.at


def _cancelled(execution: Execution, event: ExecutionCancelled) -> None:
    execution.status, execution.ended_at = CANCELLED, event.at


_EVOLVE: dict[type[Event], Callable[[Execution, Any], None]] = {
    ExecutionStarted: _started,
    StepScheduled: _step_scheduled,
    StepStarted: _step_started,
    StepReclaimed: _step_reclaimed,
    StepAccepted: _step_accepted,
    StepCompleted: _step_completed,
    StepFailed: _step_failed,
    StepSkipped: _step_skipped,
    StepCancelled: _step_cancelled,
    CostRecorded: _cost_recorded,
    ExecutionCompleted: _completed,
    ExecutionFailed: _failed,
    ExecutionCancelled: _cancelled,
}
