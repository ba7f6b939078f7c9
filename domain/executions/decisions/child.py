"""Decisions that one execution requests of another: start, continue, cancel."""

from functools import partial
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.execution import start_execution
from domain.executions.engine.advance import advance
from domain.executions.engine.ending import cancel
from domain.executions.engine.failing import go_on
from domain.executions.engine.steps import for_each, repeat
from domain.executions.engine.unfolding import AttemptFailed, Take, Unfolding
from domain.executions.events.child import ChildStarted, ItemStarted, Parent, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionEnded,
    ExecutionFailed,
    Trigger,
)
from domain.executions.events.outcomes import QUEUED, RUNNING
from domain.executions.events.step import StepCompleted
from domain.executions.state.model import Child, Execution
from domain.processes.plan import PlannedSubProcess


def start_child(
    execution: Execution,
    request: ChildStarted,
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
            request.waits,
            request.holds,
            request.item if isinstance(request, ItemStarted) else None,
            request.key if isinstance(request, ItemStarted) else "",
            request.round if isinstance(request, SubProcessStarted) else None,
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
    ended = go_on(unfolding, step, partial(_end, entry, child, end))
    advance(unfolding, (step.id,) if ended else ())
    return unfolding


def _end(entry: Child, child: UUID, end: ExecutionEnded, unfolding: Unfolding, step: PlannedSubProcess) -> bool:
    """Record the consequences for the step; return whether it has ended. Raises AttemptFailed."""
    if isinstance(end, ExecutionCompleted):
        if entry.item is not None:
            return for_each.complete_item(unfolding, step, entry.item, child, end.outputs)
        if entry.round is not None:
            return repeat.complete_round(unfolding, step, child, entry.round, end.outputs)
        output = end.outputs if step.output_key is None else {step.output_key: end.outputs}
        started_at = unfolding.execution.steps[step.id].started_at
        unfolding.record(StepCompleted, step=step.id, attempt=entry.attempt, output=output, started_at=started_at)
        return True
    error = _error(step.callee, child, end)
    if entry.item is not None:
        return for_each.fail_item(unfolding, step, entry.item, child, error)
    raise AttemptFailed(error)


def close_child(
    execution: Execution, request: SubProcessClosed, parent: UUID, cause: Cause, take: Take = 0
) -> Unfolding:
    """Cancel a child that its parent no longer needs. Returns no events when it has ended, or is ending."""
    unfolding = Unfolding(execution, cause, take)
    if execution.status in (RUNNING, QUEUED):
        cancel(unfolding, f"execution {parent} called this one and does not want it any longer: {request.reason}")
        advance(unfolding, ())
    return unfolding


def _error(callee: str, child: UUID, end: ExecutionEnded) -> StepError:
    match end:
        case ExecutionFailed(error=error):
            return StepError("child_failed", f"execution {child} of {callee} failed: {error.code}: {error.message}")
        case ExecutionCancelled(reason=reason):
            message = f"execution {child} of {callee} was cancelled: {reason}"
            return StepError("child_cancelled", message, permanent=True)
        case _:
            raise TypeError(f"{type(end).__name__} is no bad end of an execution")
