"""Evolution of approvals."""

from msgspec.structs import replace

from domain.executions.events.approval import (
    ApprovalCancelled,
    ApprovalChangesRequested,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
)
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Approval, Execution
from domain.executions.state.timer import begin_wait
from domain.executions.timers import DEADLINE


@evolves(ApprovalRequested)
def requested(execution: Execution, event: ApprovalRequested) -> None:
    """Open the approval; its step waits."""
    begin_wait(execution, event.step, event.attempt, event.at, due_at=event.deadline)
    approval = Approval(event.title, event.description, event.artifacts)
    execution.approvals[f"{event.step}:{event.attempt}"] = approval
    if event.deadline is not None:
        execution.timers[event.step, DEADLINE] = event.deadline


@evolves(ApprovalGranted)
def granted(execution: Execution, event: ApprovalGranted) -> None:
    """Close the approval as granted."""
    _closed(execution, event.step, event.attempt, "granted", event.by, event.comment)


@evolves(ApprovalRefused)
def refused(execution: Execution, event: ApprovalRefused) -> None:
    """Close the approval as refused."""
    _closed(execution, event.step, event.attempt, "refused", event.by, event.comment)


@evolves(ApprovalChangesRequested)
def changes_requested(execution: Execution, event: ApprovalChangesRequested) -> None:
    """Close the approval because changes are requested."""
    _closed(execution, event.step, event.attempt, "changes_requested", event.by, event.comment)


@evolves(ApprovalExpired)
def expired(execution: Execution, event: ApprovalExpired) -> None:
    """Close the approval after its deadline."""
    _closed(execution, event.step, event.attempt, "expired")


@evolves(ApprovalCancelled)
def cancelled(execution: Execution, event: ApprovalCancelled) -> None:
    """Close the approval; its step was cancelled."""
    _closed(execution, event.step, event.attempt, "cancelled")


def _closed(
    execution: Execution, step: str, attempt: int, status: str, by: str | None = None, comment: str | None = None
) -> None:
    """Close the approval and drop its deadline; an event of its own decides about the step."""
    key = f"{step}:{attempt}"
    execution.approvals[key] = replace(execution.approvals[key], status=status, by=by, comment=comment)
    execution.timers.pop((step, DEADLINE), None)
