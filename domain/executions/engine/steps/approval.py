"""Approval steps: request an approval; the step waits until an approver decides or the deadline passes."""

from typing import Any

import msgspec

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.approval import ApprovalRequested
from domain.executions.state.model import StepState
from domain.identity import approval_id
from domain.language.expressions import Scope
from domain.processes.plan import PlannedApproval


def begin(unfolding: Unfolding, step: PlannedApproval, attempt: int, visible: Scope) -> bool:
    """Render the title, description and artifacts, and request the approval."""
    title = step.title if isinstance(step.title, str) else _text(step.title.render(visible))
    description = _text(step.description.render(visible))
    return _request(unfolding, step, attempt, title, description, step.artifacts.render(visible))


def begin_again(unfolding: Unfolding, step: PlannedApproval, before: StepState) -> bool:
    """Request the same approval again, with a new deadline of the same length."""
    previous = unfolding.execution.approvals[f"{step.id}:{before.attempt}"]
    return _request(unfolding, step, before.attempt + 1, previous.title, previous.description, previous.artifacts)


def _request(
    unfolding: Unfolding, step: PlannedApproval, attempt: int, title: str, description: str, artifacts: Any
) -> bool:
    execution = unfolding.execution
    unfolding.record(
        ApprovalRequested,
        step=step.id,
        attempt=attempt,
        approval_id=approval_id(execution.id, step.id, attempt),
        process_id=execution.plan.process_id,
        process=execution.plan.name,
        title=title,
        description=description,
        approvers=list(step.approvers),
        artifacts=artifacts,
        deadline=None if step.deadline is None else unfolding.cause.at + step.deadline,
    )
    return False


def _text(rendered: Any) -> str:
    """Return a rendered text as text; a lone `{{ }}` may give any value."""
    return rendered if isinstance(rendered, str) else msgspec.json.encode(rendered).decode()
