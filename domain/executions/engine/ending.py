"""The end of an execution: completed, failed or cancelled, at once or after compensation."""

from typing import Any

from domain.agents.calls import StepError
from domain.executions.engine.closing import close
from domain.executions.engine.scope import scope
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.approval import ApprovalCancelled
from domain.executions.events.compensation import CompensationRequired
from domain.executions.events.execution import ExecutionCancelled, ExecutionCompleted, ExecutionFailed
from domain.executions.events.outcomes import ACCEPTED, CANCELLED, FAILED, OPEN, WAITING
from domain.executions.events.step import StepCancelled
from domain.executions.events.timer import TimerCancelled
from domain.executions.state.model import StepState
from domain.executions.state.repetition import open_children
from domain.identity import approval_id
from domain.language.expressions import EvaluationFailed
from domain.processes.plan import PlannedApproval, PlannedSubProcess


def complete(unfolding: Unfolding) -> None:
    """Complete the execution with its outputs; every step has ended."""
    visible = scope(unfolding.execution, unfolding.budget)
    outputs: dict[str, Any] = {}
    for name, template in unfolding.execution.plan.outputs:
        try:
            outputs[name] = template.render(visible)
        except EvaluationFailed as error:
            fail(unfolding, StepError(error.code, f"output {name!r}: {error.message}", permanent=True), None)
            return
    _close_children(unfolding, "execution_completed")
    unfolding.record(ExecutionCompleted, outputs=outputs, **_ending(unfolding))


def fail(unfolding: Unfolding, error: StepError, step: str | None) -> None:
    """Fail the execution, at once or after compensation, and cancel its open steps."""
    _cancel_open_steps(unfolding, "execution_failed")
    if unfolding.execution.undo:
        unfolding.record(CompensationRequired, outcome=FAILED, error=error, step=step)
    else:
        unfolding.record(ExecutionFailed, error=error, step=step, **_ending(unfolding))


def cancel(unfolding: Unfolding, reason: str) -> None:
    """Cancel the execution, at once or after compensation, and cancel its open steps."""
    _cancel_open_steps(unfolding, "execution_cancelled")
    if unfolding.execution.undo:
        unfolding.record(CompensationRequired, outcome=CANCELLED, reason=reason)
    else:
        unfolding.record(ExecutionCancelled, reason=reason, **_ending(unfolding))


def conclude(unfolding: Unfolding) -> None:
    """End the execution as settled before; compensation is complete."""
    outcome = unfolding.execution.outcome
    assert outcome is not None
    if outcome.status == CANCELLED:
        unfolding.record(ExecutionCancelled, reason=outcome.reason, **_ending(unfolding))
    else:
        unfolding.record(ExecutionFailed, error=outcome.error, step=outcome.step, **_ending(unfolding))


def abandon(unfolding: Unfolding) -> None:
    """End an execution whose compensation cannot go on, as settled before."""
    _cancel_open_steps(unfolding, "execution_failed")
    conclude(unfolding)


def _cancel_open_steps(unfolding: Unfolding, reason: str) -> None:
    """Cancel every step that has been reached and has not ended, and close children that no step waits for."""
    for step, state in list(unfolding.execution.steps.items()):
        if state.status in OPEN:
            cancel_attempt(unfolding, step, state, reason)
    _close_children(unfolding, reason)
    unfolding.taken.clear()


def _close_children(unfolding: Unfolding, reason: str) -> None:
    """Close the children that no step waits for."""
    for id, child in list(unfolding.execution.children.items()):
        close(unfolding, id, child.step, child.attempt, reason)


def cancel_attempt(unfolding: Unfolding, step: str, state: StepState, reason: str) -> None:
    """Cancel the attempt that is under way, or the retry that is scheduled."""
    cancel_wait(unfolding, step, state, reason)
    facts = {"step": step, "attempt": state.attempt, "started_at": state.started_at, "tell": agent_to_notify(state)}
    unfolding.record(StepCancelled, reason=reason, **facts)


def agent_to_notify(state: StepState) -> str | None:
    """Return the agent that took the attempt to answer later; None when no agent did."""
    return state.agent if state.status == ACCEPTED else None


def cancel_wait(unfolding: Unfolding, step: str, state: StepState, reason: str) -> None:
    """Cancel the wait of a step for its time, its approvers or its children."""
    if state.status != WAITING:
        return
    execution, attempt = unfolding.execution, state.attempt
    planned = execution.plan.steps[step]
    if isinstance(planned, PlannedSubProcess):
        waited = open_children(execution, step) if planned.for_each is not None else (state.child,)
        for child in [id for id in waited if id is not None]:
            close(unfolding, child, step, attempt, reason)
    elif isinstance(planned, PlannedApproval):
        id = approval_id(execution.id, step, attempt)
        unfolding.record(ApprovalCancelled, step=step, attempt=attempt, approval_id=id, reason=reason)
    else:
        unfolding.record(TimerCancelled, step=step, attempt=attempt, reason=reason)


def _ending(unfolding: Unfolding) -> dict[str, Any]:
    """Return the fields of ExecutionEnded."""
    execution, plan = unfolding.execution, unfolding.execution.plan
    facts: dict[str, Any] = {
        "process_id": plan.process_id,
        "version": plan.version,
        "started_at": execution.started_at,
    }
    if plan.body:
        facts["body"] = plan.body
    if execution.parent is not None and execution.parent.waits:
        facts["reports_to"] = execution.parent.execution_id
    if execution.trigger.schedule_id is not None:
        facts["schedule_id"] = execution.trigger.schedule_id
    return facts
