"""The consequences of a failed attempt: a retry, a fallback, or the failure of the execution."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from domain.agents.calls import StepError
from domain.executions.engine.cost import too_costly
from domain.executions.engine.ending import fail
from domain.executions.engine.steps import begin_again
from domain.executions.engine.unfolding import AttemptFailed, Unfolding
from domain.executions.events.outcomes import TIMED_OUT
from domain.executions.events.step import StepDiverted, StepFailed, StepRetryScheduled, StepSkipped
from domain.executions.state.model import StepState
from domain.executions.timers import TOTAL_TIMEOUT
from domain.processes.plan import PlannedStep

LONGEST_RETRY_AFTER = timedelta(days=1)


def fail_attempt(unfolding: Unfolding, step: PlannedStep, error: StepError, *, skips: bool = True) -> bool:
    """Record that the attempt under way has failed, and decide the consequences, as `settle`."""
    state = unfolding.execution.steps[step.id]
    facts = {"step": step.id, "attempt": state.attempt, "started_at": state.started_at}
    unfolding.record(StepFailed, error=error, **facts)
    return settle(unfolding, step, error, skips=skips)


def go_on(unfolding: Unfolding, step: PlannedStep, act: Callable[[Unfolding, Any], bool] = begin_again) -> bool:
    """Begin the next attempt, or go on as `act` does; return whether the step has ended, also by failing."""
    try:
        return act(unfolding, step)
    except AttemptFailed as failed:
        return fail_attempt(unfolding, step, failed.error)


def settle(unfolding: Unfolding, step: PlannedStep, error: StepError, *, skips: bool = True) -> bool:
    """Decide the consequences of an attempt that has just failed because of `error`.

    Returns whether the step has ended and others may follow. skips: whether a fallback may skip the step.
    """
    state = unfolding.execution.steps[step.id]
    due_at = _retry_at(unfolding, step, state, error)
    if due_at is not None:
        unfolding.record(StepRetryScheduled, step=step.id, attempt=state.attempt + 1, due_at=due_at, code=error.code)
        return due_at <= unfolding.cause.at and go_on(unfolding, step)
    if step.compensates is not None:
        return True  # compensation of the other steps goes on
    reason, fallback = "on_error", step.on_error
    if state.status == TIMED_OUT and step.on_timeout is not None:
        # Without an on_timeout, a timeout is handled like any other error.
        reason, fallback = "on_timeout", step.on_timeout
    if fallback is not None and fallback.target is not None:
        unfolding.record(StepDiverted, step=step.id, target=fallback.target, reason=reason)
    elif skips and fallback is not None and fallback.action == "skip":
        unfolding.record(StepSkipped, step=step.id, reason=reason)
    else:
        fail(unfolding, error, step.id)
        return False
    return True


def _retry_at(unfolding: Unfolding, step: PlannedStep, state: StepState, error: StepError) -> datetime | None:
    """Return the time of the next attempt; None when the policy forbids it, or total_timeout would pass before it."""
    retry = step.retry
    made = state.attempt - state.first_attempt + 1
    if retry is None or made >= retry.max_attempts or not retry.allows(error.code, error.permanent):
        return None
    if too_costly(step, state):
        return None
    delay = retry.delay_before(made + 1)
    if error.retry_after is not None:
        delay = max(delay, min(error.retry_after, LONGEST_RETRY_AFTER))
    due_at = unfolding.cause.at + delay
    last = unfolding.execution.timers.get((step.id, TOTAL_TIMEOUT))
    return due_at if last is None or due_at < last else None
