"""Decisions of people about an approval, and the consequence of a missed deadline."""

import re
from collections.abc import Collection
from typing import Literal
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.refusals import ApprovalDecided, ApproverNotNamed, NoSuchApproval, ReasonRequired
from domain.executions.engine.advance import advance
from domain.executions.engine.failing import settle
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.approval import (
    ApprovalChangesRequested,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRefused,
)
from domain.executions.events.step import StepCompleted, StepFailed, StepSkipped
from domain.executions.state.model import Execution
from domain.executions.verdicts import DECISION
from domain.identity import approval_id
from domain.processes.plan import PlannedApproval, PlannedStep
from domain.refusal import Problem
from domain.words import did_you_mean

Verdict = Literal["granted", "refused", "changes_requested"]


def decide_approval(
    execution: Execution,
    step: str,
    attempt: int,
    by: str,
    verdict: Verdict,
    comment: str,
    cause: Cause,
    take: Take = 0,
    teams: Collection[str] = (),
) -> Unfolding:
    """Record a person's decision and all consequences. by: as events name actors, ``user:ann``. teams: those of `by`.

    Returns no events when the same person has made the same decision already; the first decision counts. Raises
    NoSuchApproval, ApproverNotNamed, ReasonRequired or ApprovalDecided.
    """
    planned, approval = execution.plan.steps.get(step), execution.approvals.get(f"{step}:{attempt}")
    if approval is None or not isinstance(planned, PlannedApproval):
        raise NoSuchApproval(f"there is no approval of step {step!r} with attempt {attempt}{_hint(execution, step)}")
    if not planned.may_decide(by, teams):
        raise ApproverNotNamed(f"{by} is not among those who may decide: {', '.join(planned.approvers)}")
    unfolding = Unfolding(execution, cause, take)
    if (approval.status, approval.by) == (verdict, by):
        return unfolding
    if approval.status != "open":
        whose = "" if approval.by is None else f" by {approval.by}"
        decision = DECISION.get(approval.status)
        message = f"the approval is {(decision or approval.status).replace('_', ' ')}{whose} already"
        raise ApprovalDecided(message, decision=decision, decided_by=approval.by)
    if planned.require_reason and not comment.strip():
        problem = Problem("reason_required", "a comment has to say why", "comment")
        raise ReasonRequired(problem.message, [problem])
    ended = _decide(unfolding, planned, attempt, by, verdict, comment)
    advance(unfolding, (step,) if ended else ())
    return unfolding


def _hint(execution: Execution, step: str) -> str:
    hint = did_you_mean(step, [key.rpartition(":")[0] for key in execution.approvals])
    return f"; {hint}" if hint else ""


def expire(unfolding: Unfolding, step: PlannedStep) -> bool:
    """Record that the deadline has passed. Returns whether the step has ended and others may follow."""
    assert isinstance(step, PlannedApproval)
    attempt = unfolding.execution.steps[step.id].attempt
    id = approval_id(unfolding.execution.id, step.id, attempt)
    unfolding.record(ApprovalExpired, step=step.id, attempt=attempt, approval_id=id, on_deadline=step.on_deadline)
    match step.on_deadline:
        case "approve":
            return _complete(unfolding, step, None, "")
        case "skip":
            unfolding.record(StepSkipped, step=step.id, reason="on_deadline")
            return True
        case "reject":
            return _fail(unfolding, step, StepError("approval_expired", "nobody decided before the deadline"))


def _decide(unfolding: Unfolding, step: PlannedApproval, attempt: int, by: str, verdict: Verdict, comment: str) -> bool:
    id = approval_id(unfolding.execution.id, step.id, attempt)
    facts = {"step": step.id, "attempt": attempt, "approval_id": id, "by": by, "comment": comment}
    said = f": {comment}" if comment else ""
    match verdict:
        case "granted":
            unfolding.record(ApprovalGranted, **facts)
            return _complete(unfolding, step, by, comment)
        case "refused":
            unfolding.record(ApprovalRefused, **facts)
            return _fail(unfolding, step, StepError("approval_refused", f"{by} refused{said}", permanent=True))
        case "changes_requested":
            unfolding.record(ApprovalChangesRequested, **facts)
            return _fail(unfolding, step, StepError("changes_requested", f"{by} wants changes{said}"))


def _complete(unfolding: Unfolding, step: PlannedApproval, by: str | None, comment: str) -> bool:
    state = unfolding.execution.steps[step.id]
    output = {"decision": "approved", "by": by, "comment": comment}
    unfolding.record(StepCompleted, step=step.id, attempt=state.attempt, output=output, started_at=state.started_at)
    return True


def _fail(unfolding: Unfolding, step: PlannedApproval, error: StepError) -> bool:
    state = unfolding.execution.steps[step.id]
    unfolding.record(StepFailed, step=step.id, attempt=state.attempt, error=error, started_at=state.started_at)
    return settle(unfolding, step, error)


_ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([a-z][a-z0-9_-]{0,63}):([1-9][0-9]{0,8})")


def parse_approval_id(text: str) -> tuple[UUID, str, int]:
    """Return the execution, the step and the attempt of an id. Raises NoSuchApproval for any other text."""
    found = _ID.fullmatch(text)
    if found is None:
        raise NoSuchApproval(f"there is no approval {text[:120]!r}; an id is written EXECUTION:STEP:ATTEMPT")
    return UUID(found[1]), found[2], int(found[3])
