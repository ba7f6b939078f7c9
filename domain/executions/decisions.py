"""What may be done to an execution, and what follows: pure functions of state, command and cause."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.event import Cause
from domain.executions.advance import advance
from domain.executions.child_events import Parent
from domain.executions.ending import cancel, fail
from domain.executions.events import (
    CostRecorded,
    ExecutionAdmitted,
    ExecutionQueued,
    ExecutionStarted,
    StepAccepted,
    StepAnswerIgnored,
    StepCompleted,
    StepFailed,
    StepReclaimed,
    StepStarted,
    Trigger,
)
from domain.executions.execution import (
    ACCEPTED,
    ACTIVE,
    CANCELLED,
    COMPENSATING,
    QUEUED,
    RUNNING,
    SCHEDULED,
    STARTED,
    WAITING,
    Execution,
    StepState,
)
from domain.executions.failing import settle, too_costly
from domain.executions.reaching import reach
from domain.executions.refusals import ExecutionEndedAlready, StepNotRunning
from domain.executions.unfolding import Unfolding
from domain.money import Money
from domain.processes.plan import Plan, PlannedAgentTask
from domain.refusal import NotFound

__all__ = [
    "ExecutionEndedAlready",
    "StepNotRunning",
    "accept_step",
    "admit_execution",
    "cancel_execution",
    "complete_step",
    "fail_step",
    "start_execution",
    "start_step",
]


def start_execution(
    id: UUID,
    plan: Plan,
    input: dict[str, Any],
    trigger: Trigger,
    cause: Cause,
    take: int = 0,
    *,
    callees: Mapping[str, Plan] = {},
    parent: Parent | None = None,
    descendants: int = 0,
) -> Unfolding:
    """A new execution of `plan` with `input` (checked and complete), and its first steps, unless it is to wait.

    callees: by its step, the plan of each process that may be called, those that cannot be left out. descendants: how
    many its root had started before; one too many fails at once.
    """
    unfolding = Unfolding(Execution(id, plan, callees=callees), cause, take)
    unfolding.record(
        ExecutionStarted,
        process_id=plan.process_id,
        process=plan.name,
        version=plan.version,
        input=input,
        steps=plan.size,
        trigger=trigger,
        parent=parent,
        pinned={step: callee.version for step, callee in callees.items()},
    )
    if parent is not None and descendants >= plan.limits.max_descendants:
        message = f"execution {parent.root} has started {descendants} others, directly or not, and may not start more"
        fail(unfolding, StepError("too_many_descendants", message, permanent=True), None)
    elif queues(unfolding.execution):
        unfolding.record(ExecutionQueued, process_id=plan.process_id)
    else:
        _begin(unfolding)
    return unfolding


def queues(execution: Execution) -> bool:
    """Whether it needs a place of its own: its process limits how many run, and none that waits for it has a place."""
    held = () if execution.parent is None else execution.parent.holds
    return execution.plan.max_running is not None and execution.plan.process_id not in held


def admit_execution(execution: Execution, cause: Cause, take: int = 0) -> Unfolding:
    """There is room for the execution, which waited longest. Nothing when it does not wait."""
    unfolding = Unfolding(execution, cause, take)
    if execution.status == QUEUED:
        unfolding.record(ExecutionAdmitted, process_id=execution.plan.process_id)
        _begin(unfolding)
    return unfolding


def _begin(unfolding: Unfolding) -> None:
    execution, plan = unfolding.execution, unfolding.execution.plan
    advance(
        unfolding, [step for step in plan.roots if execution.status == RUNNING and reach(unfolding, plan.steps[step])]
    )


def start_step(execution: Execution, step: str, attempt: int, cause: Cause) -> Unfolding:
    """A worker takes a due attempt; one that was with a lost worker is reclaimed. Nothing when it is not due."""
    unfolding = Unfolding(execution, cause)
    state = execution.steps.get(step)
    if execution.status in ACTIVE and state is not None and state.attempt == attempt:
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
    """The agent's answer, and all that follows from it. Nothing when this attempt was answered already.

    An answer that does not meet the step's output_schema, or with which the step has cost more than its max_cost, fails
    the attempt. One that comes after the attempt has ended is noted, with its cost, and changes nothing.
    Raises StepNotRunning or NotFound.
    """
    unfolding = Unfolding(execution, cause, take)
    state = _attempt(unfolding, step, attempt, usage, cost)
    if state is None:
        return unfolding
    error = _answer_problem(unfolding, step, output)
    if error is not None:
        _fail(unfolding, step, state, error)
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
    take: int = 0,
) -> Unfolding:
    """The attempt failed: another one is made, or the process goes on as it says, or the execution fails.

    Nothing when this attempt was answered already; an answer that comes after the attempt has ended is noted, with its
    cost, and changes nothing. Raises StepNotRunning or NotFound.
    """
    unfolding = Unfolding(execution, cause, take)
    state = _attempt(unfolding, step, attempt, usage, cost)
    if state is not None:
        exceeded = too_costly(execution.plan.steps[step], unfolding.execution.steps[step])
        if exceeded is not None:
            error = StepError(exceeded.code, f"{exceeded.message}; {error.code}: {error.message}", permanent=True)
        _fail(unfolding, step, state, error)
    return unfolding


def cancel_execution(execution: Execution, reason: str, cause: Cause, take: int = 0) -> Unfolding:
    """Call the execution off: attempts under way are given up, and what was done is undone.

    Nothing when it is cancelled already, or will be. Raises ExecutionEndedAlready when it completed or
    failed, or will fail.
    """
    unfolding = Unfolding(execution, cause, take)
    if execution.status in (RUNNING, QUEUED):
        cancel(unfolding, reason)
        advance(unfolding, ())
    elif execution.status == COMPENSATING and execution.outcome is not None:
        if execution.outcome.status != CANCELLED:
            raise ExecutionEndedAlready("the execution has failed and is being undone", status=COMPENSATING)
    elif execution.status != CANCELLED:
        raise ExecutionEndedAlready(f"the execution is {execution.status} already", status=execution.status)
    return unfolding


def _attempt(
    unfolding: Unfolding, step: str, attempt: int, usage: Usage | None, cost: Money | None
) -> StepState | None:
    """The attempt that was answered if it is under way, and None if it has ended; what it used is recorded once."""
    execution = unfolding.execution
    if step not in execution.plan.steps:
        raise NotFound(f"the process has no step {step!r}")
    state = execution.steps.get(step)
    if state is None or attempt > state.attempt or attempt < 1:
        raise StepNotRunning(f"attempt {attempt} of step {step!r} has not begun", code="wrong_attempt")
    goes_on = attempt == state.attempt and state.status in (STARTED, ACCEPTED)
    if not goes_on:
        reason = execution.unanswered.get(f"{step}:{attempt}")
        if reason is None:
            if attempt == state.attempt and state.status in (SCHEDULED, WAITING):
                raise StepNotRunning(f"attempt {attempt} of step {step!r} is not with an agent")
            return None
        unfolding.record(StepAnswerIgnored, step=step, attempt=attempt, reason=reason)
    if usage is not None or cost is not None:
        unfolding.record(CostRecorded, step=step, attempt=attempt, agent=state.agent, usage=usage, cost=cost)
    return state if goes_on else None


def _answer_problem(unfolding: Unfolding, step: str, output: Any) -> StepError | None:
    planned = unfolding.execution.plan.steps[step]
    if not isinstance(planned, PlannedAgentTask):
        return None
    if planned.schema is not None and (problems := planned.output_problems(output)):
        return StepError("output_schema_mismatch", "; ".join(problems))
    return None if planned.max_cost is None else too_costly(planned, unfolding.execution.steps[step])


def _fail(unfolding: Unfolding, step: str, state: StepState, error: StepError) -> None:
    unfolding.record(StepFailed, step=step, attempt=state.attempt, error=error, started_at=state.started_at)
    planned = unfolding.execution.plan.steps[step]
    advance(unfolding, (step,) if settle(unfolding, planned, error) else ())
