"""What may be done to an execution, and what follows: pure functions of state, command and cause."""

from typing import Any
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.event import Cause
from domain.executions.advance import advance, ending, fail, give_up, reach
from domain.executions.events import (
    CostRecorded,
    ExecutionCancelled,
    ExecutionStarted,
    StepAccepted,
    StepCompleted,
    StepFailed,
    StepReclaimed,
    StepStarted,
    Trigger,
)
from domain.executions.execution import ACCEPTED, RUNNING, SCHEDULED, STARTED, UNDER_WAY, Execution, StepState
from domain.executions.unfolding import Unfolding
from domain.money import Money
from domain.processes.plan import Plan
from domain.refusal import Forbidden, NotFound


class StepNotRunning(Forbidden):
    """The attempt named is not one that is under way."""

    code = "step_not_running"


class ExecutionEndedAlready(Forbidden):
    """The execution has ended; nothing more can be asked of it."""

    code = "execution_ended"


def start_execution(
    id: UUID, plan: Plan, input: dict[str, Any], trigger: Trigger, cause: Cause, take: int = 0
) -> Unfolding:
    """A new execution of `plan` with `input` (checked and complete), and its first steps."""
    unfolding = Unfolding(Execution(id, plan), cause, take)
    unfolding.record(
        ExecutionStarted,
        process_id=plan.process_id,
        process=plan.name,
        version=plan.version,
        input=input,
        steps=len(plan.steps),
        trigger=trigger,
    )
    running = unfolding.execution
    skipped = [step for step in plan.roots if running.status == RUNNING and reach(unfolding, plan.steps[step])]
    advance(unfolding, skipped)
    return unfolding


def start_step(execution: Execution, step: str, attempt: int, cause: Cause) -> Unfolding:
    """A worker takes a due attempt; one under way with a lost worker is reclaimed. Nothing when it is not due."""
    unfolding = Unfolding(execution, cause)
    state = execution.steps.get(step)
    if execution.status == RUNNING and state is not None and state.attempt == attempt:
        if state.status == SCHEDULED:
            unfolding.record(StepStarted, step=step, attempt=attempt)
            unfolding.taken.append(step)
        elif state.status == STARTED:
            unfolding.record(StepReclaimed, step=step, attempt=attempt)
            unfolding.taken.append(step)
    return unfolding


def accept_step(execution: Execution, step: str, attempt: int, cause: Cause) -> Unfolding:
    """The agent will answer later. Nothing when it already has, or when the attempt is over."""
    unfolding = Unfolding(execution, cause)
    state = execution.steps.get(step)
    if state is not None and state.attempt == attempt and state.status == STARTED:
        unfolding.record(StepAccepted, step=step, attempt=attempt)
    return unfolding


def complete_step(
    execution: Execution,
    step: str,
    attempt: int,
    output: Any,
    cause: Cause,
    *,
    usage: Usage | None = None,
    cost: Money | None = None,
    take: int = 0,
) -> Unfolding:
    """The agent's answer, and all that follows from it. Nothing when this attempt has ended already.

    An answer that does not meet the step's output_schema fails the attempt. Raises StepNotRunning or NotFound.
    """
    unfolding = Unfolding(execution, cause, take)
    state = _attempt(execution, step, attempt)
    if state is None:
        return unfolding
    _record_cost(unfolding, step, attempt, state, usage, cost)
    problems = execution.plan.steps[step].output_problems(output)
    if problems:
        error = StepError("output_schema_mismatch", "; ".join(problems))
        _fail_step(unfolding, step, attempt, state, error)
        return unfolding
    unfolding.record(StepCompleted, step=step, attempt=attempt, output=output, started_at=state.started_at)
    advance(unfolding, (step,))
    return unfolding


def fail_step(
    execution: Execution,
    step: str,
    attempt: int,
    error: StepError,
    cause: Cause,
    *,
    usage: Usage | None = None,
    cost: Money | None = None,
) -> Unfolding:
    """The attempt failed, and with it the execution. Nothing when this attempt has ended already.

    Raises StepNotRunning or NotFound.
    """
    unfolding = Unfolding(execution, cause)
    state = _attempt(execution, step, attempt)
    if state is not None:
        _record_cost(unfolding, step, attempt, state, usage, cost)
        _fail_step(unfolding, step, attempt, state, error)
    return unfolding


def cancel_execution(execution: Execution, reason: str, cause: Cause) -> Unfolding:
    """Call the execution off; attempts under way are given up. Nothing when it is cancelled already.

    Raises ExecutionEndedAlready when it completed or failed.
    """
    unfolding = Unfolding(execution, cause)
    if execution.status == RUNNING:
        give_up(unfolding, "execution_cancelled")
        unfolding.record(ExecutionCancelled, reason=reason, **ending(unfolding))
    elif execution.status != "cancelled":
        raise ExecutionEndedAlready(f"the execution is {execution.status} already", status=execution.status)
    return unfolding


def _attempt(execution: Execution, step: str, attempt: int) -> StepState | None:
    """The attempt if it is under way, None if it has ended."""
    if step not in execution.plan.steps:
        raise NotFound(f"the process has no step {step!r}")
    state = execution.steps.get(step)
    if state is None or attempt > state.attempt or attempt < 1:
        raise StepNotRunning(f"attempt {attempt} of step {step!r} has not begun", code="wrong_attempt")
    if attempt < state.attempt or state.status not in UNDER_WAY:
        return None
    if state.status not in (STARTED, ACCEPTED):
        raise StepNotRunning(f"attempt {attempt} of step {step!r} is due but not yet taken by a worker")
    return state


def _record_cost(
    unfolding: Unfolding, step: str, attempt: int, state: StepState, usage: Usage | None, cost: Money | None
) -> None:
    if usage is not None or cost is not None:
        unfolding.record(CostRecorded, step=step, attempt=attempt, agent=state.agent, usage=usage, cost=cost)


def _fail_step(unfolding: Unfolding, step: str, attempt: int, state: StepState, error: StepError) -> None:
    unfolding.record(StepFailed, step=step, attempt=attempt, error=error, started_at=state.started_at)
    fail(unfolding, error, step)
