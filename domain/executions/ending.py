"""How an execution ends: completed, failed, or given up."""

from typing import Any

from domain.agents.calls import StepError
from domain.executions.approval_events import ApprovalCancelled
from domain.executions.approvals import approval_id
from domain.executions.events import ExecutionCompleted, ExecutionFailed, StepCancelled, TimerCancelled
from domain.executions.execution import OPEN, WAITING, StepState
from domain.executions.scope import scope
from domain.executions.unfolding import Unfolding
from domain.expressions import EvaluationFailed
from domain.processes.plan import PlannedApproval


def complete(unfolding: Unfolding) -> None:
    """Every step has ended: work the outputs out."""
    visible = scope(unfolding.execution)
    outputs: dict[str, Any] = {}
    for name, template in unfolding.execution.plan.outputs:
        try:
            outputs[name] = template.render(visible)
        except EvaluationFailed as error:
            problem = StepError(error.code, f"output {name!r}: {error.message}", permanent=True)
            unfolding.record(ExecutionFailed, error=problem, **ending(unfolding))
            return
    unfolding.record(ExecutionCompleted, outputs=outputs, **ending(unfolding))


def fail(unfolding: Unfolding, error: StepError, step: str | None) -> None:
    """The execution fails; what is still under way is given up."""
    give_up(unfolding, "execution_failed")
    unfolding.record(ExecutionFailed, error=error, step=step, **ending(unfolding))


def give_up(unfolding: Unfolding, reason: str) -> None:
    """Cancel every step that has been reached and has not ended."""
    for step, state in list(unfolding.execution.steps.items()):
        if state.status in OPEN:
            cancel_attempt(unfolding, step, state, reason)
    unfolding.taken.clear()


def cancel_attempt(unfolding: Unfolding, step: str, state: StepState, reason: str) -> None:
    """Cancel the attempt that is under way, or the one that was to come."""
    stop_waiting(unfolding, step, state, reason)
    unfolding.record(StepCancelled, step=step, attempt=state.attempt, reason=reason, started_at=state.started_at)


def stop_waiting(unfolding: Unfolding, step: str, state: StepState, reason: str) -> None:
    """What a step waits for, if it waits for its time or for people, it waits for no longer."""
    if state.status != WAITING:
        return
    execution, attempt = unfolding.execution, state.attempt
    if isinstance(execution.plan.steps[step], PlannedApproval):
        id = approval_id(execution.id, step, attempt)
        unfolding.record(ApprovalCancelled, step=step, attempt=attempt, approval_id=id, reason=reason)
    else:
        unfolding.record(TimerCancelled, step=step, attempt=attempt, reason=reason)


def ending(unfolding: Unfolding) -> dict[str, Any]:
    """The facts of ExecutionEnded."""
    plan = unfolding.execution.plan
    return {"process_id": plan.process_id, "version": plan.version, "started_at": unfolding.execution.started_at}
