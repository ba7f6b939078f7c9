"""Decisions that one execution requests of another: start, continue, cancel."""

from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.execution import start_execution
from domain.executions.engine.advance import advance
from domain.executions.engine.ending import cancel
from domain.executions.engine.failing import settle
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.child import Parent, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionEnded,
    ExecutionFailed,
    Trigger,
)
from domain.executions.events.outcomes import QUEUED, RUNNING
from domain.executions.events.step import StepCompleted, StepFailed
from domain.executions.state.model import Execution
from domain.processes.plan import PlannedSubProcess


def start_child(
    execution: Execution,
    request: SubProcessStarted,
    parent: UUID,
    cause: Cause,
    take: Take = 0,
    *,
    descendants: int = 0,
) -> Unfolding:
    """Start the execution that an attempt in `parent` requested; `execution` is new.

    Returns no events when it has started already. descendants: number of executions that the root has started so far.
    """
    if execution.version:
        return Unfolding(execution, cause)
    return start_execution(
        execution.id,
        execution.plan,
        request.input,
        Trigger("sub_process", request.step),
        Cause(cause.at, cause.actor, cause.causation, str(request.root)),
        take,
        callees=execution.callees,
        parent=Parent(
            parent,
            request.step,
            request.attempt,
            request.root,
            request.depth,
            request.path,
            request.wait,
            request.holds,
        ),
        descendants=descendants,
    )


def end_child(execution: Execution, child: UUID, end: ExecutionEnded, cause: Cause, take: Take = 0) -> Unfolding:
    """Record the end of a child and the consequences for the waiting step.

    Returns no events when no step waits any more.
    """
    unfolding = Unfolding(execution, cause, take)
    entry = execution.children.get(child)
    if entry is None or not entry.waits:
        return unfolding
    step = execution.plan.steps[entry.step]
    assert isinstance(step, PlannedSubProcess)
    state = execution.steps[step.id]
    facts = {"step": step.id, "attempt": entry.attempt, "started_at": state.started_at}
    if isinstance(end, ExecutionCompleted):
        output = end.outputs if step.output_key is None else {step.output_key: end.outputs}
        unfolding.record(StepCompleted, output=output, **facts)
        advance(unfolding, (step.id,))
    else:
        error = _error(step.process, child, end)
        unfolding.record(StepFailed, error=error, **facts)
        advance(unfolding, (step.id,) if settle(unfolding, step, error) else ())
    return unfolding


def close_child(
    execution: Execution, request: SubProcessClosed, parent: UUID, cause: Cause, take: Take = 0
) -> Unfolding:
    """Cancel a child that its parent no longer needs. Returns no events when it has ended, or is ending."""
    unfolding = Unfolding(execution, cause, take)
    if execution.status in (RUNNING, QUEUED):
        cancel(unfolding, f"execution {parent} called this one and does not want it any longer: {request.reason}")
        advance(unfolding, ())
    return unfolding


def _error(process: str, child: UUID, end: ExecutionEnded) -> StepError:
    match end:
        case ExecutionFailed(error=error):
            return StepError("child_failed", f"execution {child} of {process!r} failed: {error.code}: {error.message}")
        case ExecutionCancelled(reason=reason):
            message = f"execution {child} of {process!r} was cancelled: {reason}"
            return StepError("child_cancelled", message, permanent=True)
        case _:
            raise TypeError(f"{type(end).__name__} is no bad end of an execution")
