"""Decisions of operators about a failed or stuck step: retry, skip, reassign."""

from collections.abc import Iterable

from domain.event import Cause
from domain.executions.decisions.refusals import (
    ExecutionCompensated,
    ExecutionEndedAlready,
    ExecutionNotFailed,
    NoSuchStep,
    NotAnAgentTask,
    NothingToRetry,
    StepEndedAlready,
    StepNotReached,
)
from domain.executions.engine.advance import advance
from domain.executions.engine.ending import cancel_attempt
from domain.executions.engine.reaching import arrive, reach
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.execution import ExecutionRetried
from domain.executions.events.outcomes import (
    ACTIVE,
    CANCELLED,
    FAILED,
    OPEN,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    TIMED_OUT,
)
from domain.executions.events.step import StepReassigned, StepRetried, StepSkipped
from domain.executions.state.edges import ready
from domain.executions.state.model import Execution, StepState
from domain.processes.plan import PlannedAgentTask


def retry_execution(execution: Execution, reason: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Continue a failed execution from its failed steps, and begin the steps abandoned for the failure again.

    Raises ExecutionNotFailed, ExecutionCompensated when its work has been compensated, or NothingToRetry when only the
    outputs could not be evaluated.
    """
    if execution.status != FAILED:
        raise ExecutionNotFailed(f"the execution is {execution.status}", status=execution.status)
    unfolding = Unfolding(execution, cause, take)
    _begin(unfolding, _reopen(unfolding, reason))
    return unfolding


def retry_step(execution: Execution, step: str, reason: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Begin the step again: at once if it waits for a retry, otherwise in place of the attempt under way.

    If the execution failed, also begin its abandoned steps again. Returns no events when an attempt is due already.
    Raises NotFound, StepNotReached, StepEndedAlready or ExecutionEndedAlready.
    """
    state = _to_repair(execution, step)
    unfolding = Unfolding(execution, cause, take)
    if execution.status == FAILED:
        _begin(unfolding, _reopen(unfolding, reason))
    elif state.status != SCHEDULED:
        _end_attempt(unfolding, step, state, "retried")
        unfolding.record(StepRetried, step=step, reason=reason)
        _begin(unfolding, (step,))
    return unfolding


def skip_step(execution: Execution, step: str, reason: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Continue without the step; if the execution failed, also begin its abandoned steps again.

    A skipped gateway takes no route. Raises NotFound, StepNotReached, StepEndedAlready or ExecutionEndedAlready.
    """
    state = _to_repair(execution, step)
    unfolding = Unfolding(execution, cause, take)
    others: list[str] = []
    if execution.status == FAILED:
        others = [other for other in _reopen(unfolding, reason) if other != step]
    else:
        _end_attempt(unfolding, step, state, "skipped")
    unfolding.record(StepSkipped, step=step, reason="operator", comment=reason)
    _begin(unfolding, others, ended=(step,))
    return unfolding


def reassign_step(execution: Execution, step: str, agent: str, reason: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Schedule the step for another agent at once, in place of the attempt that is due, under way or to come.

    If the execution failed, it continues. Returns no events when the agent has the step already. Raises NotFound,
    NotAnAgentTask, StepNotReached, StepEndedAlready or ExecutionEndedAlready.
    """
    state = _to_repair(execution, step)
    planned = execution.plan.steps[step]
    if not isinstance(planned, PlannedAgentTask):
        raise NotAnAgentTask(f"step {step!r} is a {planned.type}")
    unfolding = Unfolding(execution, cause, take)
    if execution.status == FAILED:
        steps = _reopen(unfolding, reason)
        unfolding.record(StepReassigned, step=step, agent=agent, reason=reason)
        _begin(unfolding, steps)
    elif state.agent != agent:
        _end_attempt(unfolding, step, state, "reassigned")
        unfolding.record(StepReassigned, step=step, agent=agent, reason=reason)
        _begin(unfolding, (step,))
    return unfolding


def _to_repair(execution: Execution, step: str) -> StepState:
    """Return the step, which is open in a running execution or unfinished in a failed one."""
    if step not in execution.plan.steps:
        raise NoSuchStep(step, execution.plan.steps)
    if execution.status not in (*ACTIVE, QUEUED, FAILED):
        raise ExecutionEndedAlready(f"the execution is {execution.status}", status=execution.status)
    state = execution.steps.get(step)
    if state is None:
        raise StepNotReached(f"step {step!r} waits for others")
    if state.status not in OPEN and not (execution.status == FAILED and _unfinished(state)):
        raise StepEndedAlready(f"step {step!r} is {state.status}", status=state.status)
    return state


def _unfinished(state: StepState) -> bool:
    return state.status == CANCELLED or (state.status in (FAILED, TIMED_OUT) and state.chosen is None)


def _reopen(unfolding: Unfolding, reason: str) -> list[str]:
    if unfolding.execution.outcome is not None:
        raise ExecutionCompensated("what the execution did has been undone; start another one")
    steps = [step for step, state in unfolding.execution.steps.items() if _unfinished(state)]
    if not steps:
        raise NothingToRetry("no step failed: what made the execution fail would do so again")
    unfolding.record(ExecutionRetried, reason=reason, steps=steps)
    return steps


def _end_attempt(unfolding: Unfolding, step: str, state: StepState, reason: str) -> None:
    if state.status != RETRYING:
        cancel_attempt(unfolding, step, state, reason)


def _begin(unfolding: Unfolding, steps: Iterable[str], ended: Iterable[str] = ()) -> None:
    """Begin `steps` again, then each step that was ready when the execution failed and was never reached."""
    execution = unfolding.execution
    plan, done, status = execution.plan, list(ended), execution.status
    # If one of them fails the execution, the others are not needed.
    done += [step for step in steps if execution.status == status and reach(unfolding, plan.steps[step])]
    for step, planned in plan.steps.items():
        missed = step not in execution.steps and planned.compensates is None and ready(execution, planned)
        if missed and execution.status == RUNNING and arrive(unfolding, planned):
            done.append(step)
    advance(unfolding, done)
