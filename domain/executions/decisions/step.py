"""Decisions about an attempt of a step: pure functions of state, command and cause."""

from typing import Any

from domain.agents.calls import StepError, Usage
from domain.costs.usage import Metered
from domain.event import Cause
from domain.executions.decisions.cost import book
from domain.executions.decisions.refusals import NoSuchStep, StepNotRunning
from domain.executions.engine.advance import advance
from domain.executions.engine.cost import too_costly
from domain.executions.engine.failing import settle
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.outcomes import (
    ACCEPTED,
    ACTIVE,
    SCHEDULED,
    STARTED,
    WAITING,
)
from domain.executions.events.step import (
    BackgroundResponseStarted,
    StepAccepted,
    StepAnswerIgnored,
    StepCompleted,
    StepFailed,
    StepReclaimed,
    StepStarted,
)
from domain.executions.state.model import Execution, StepState
from domain.money import Money
from domain.processes.plan import PlannedAgentTask


def start_step(execution: Execution, step: str, attempt: int, cause: Cause) -> Unfolding:
    """Claim a due attempt for a worker, or reclaim it from a lost worker. Returns no events when it is not due."""
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
    """Record that the agent will answer later. Returns no events when that is recorded, or when the attempt is over."""
    unfolding = Unfolding(execution, cause)
    state = execution.steps.get(step)
    if state is not None and state.attempt == attempt and state.status == STARTED:
        unfolding.record(StepAccepted, step=step, attempt=attempt)
    return unfolding


def start_response(execution: Execution, step: str, attempt: int, response_id: str, cause: Cause) -> Unfolding:
    """Record the id of the response that a model makes in the background, once, while the attempt is under way."""
    unfolding = Unfolding(execution, cause)
    state = execution.steps.get(step)
    if state is not None and (state.attempt, state.status, state.response_id) == (attempt, STARTED, ""):
        unfolding.record(BackgroundResponseStarted, step=step, attempt=attempt, response_id=response_id)
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
    metered: Metered | None = None,
    take: Take = 0,
) -> Unfolding:
    """Record the agent's answer and all consequences. Returns no events when this attempt was answered already.

    An answer that does not meet the step's output_schema, or that takes the step over its max_cost, fails the attempt.
    An answer after the end of the attempt is recorded, with its cost, and has no other effect. Raises StepNotRunning or
    NotFound.
    """
    unfolding = Unfolding(execution, cause, take)
    state = _attempt(unfolding, step, attempt, usage, cost, metered)
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
    metered: Metered | None = None,
    take: Take = 0,
) -> Unfolding:
    """Record that the attempt failed, and retry it, take its fallback, or fail the execution.

    Returns no events when this attempt was answered already; an answer after the end of the attempt is recorded, with
    its cost, and has no other effect. Raises StepNotRunning or NotFound.
    """
    unfolding = Unfolding(execution, cause, take)
    state = _attempt(unfolding, step, attempt, usage, cost, metered)
    if state is not None:
        exceeded = too_costly(execution.plan.steps[step], unfolding.execution.steps[step])
        if exceeded is not None:
            error = StepError(exceeded.code, f"{exceeded.message}; {error.code}: {error.message}", permanent=True)
        _fail(unfolding, step, state, error)
    return unfolding


def _attempt(
    unfolding: Unfolding,
    step: str,
    attempt: int,
    usage: Usage | None,
    cost: Money | None,
    metered: Metered | None,
) -> StepState | None:
    """Return the answered attempt if it is under way, and None if it has ended; record its usage once."""
    execution = unfolding.execution
    if step not in execution.plan.steps:
        raise NoSuchStep(step, execution.plan.steps)
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
    if usage is not None or cost is not None or metered is not None:
        book(unfolding, step, attempt, usage, cost, metered)
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
