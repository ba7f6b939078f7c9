"""Events of an approval, in the stream of its execution; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.event import Event, stored


@stored("ApprovalRequested")
class ApprovalRequested(Event, frozen=True, kw_only=True):
    """An attempt requested the decision of approvers whether the process may go on; the texts are as shown to them.

    approval_id: ``<execution_id>:<step>:<attempt>``. approvers: the people who may decide; empty for anybody.
    deadline: the last instant of a decision, None for no limit.
    """

    step: str
    attempt: int
    approval_id: str
    process_id: UUID
    process: str
    title: str
    description: str = ""
    approvers: list[str] = []
    artifacts: list[Any] = []
    deadline: datetime | None = None


@stored("ApprovalGranted")
class ApprovalGranted(Event, frozen=True, kw_only=True):
    """An approver granted the approval; StepCompleted follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalRefused")
class ApprovalRefused(Event, frozen=True, kw_only=True):
    """An approver refused the approval; StepFailed follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalChangesRequested")
class ApprovalChangesRequested(Event, frozen=True, kw_only=True):
    """An approver requested changes first; StepFailed follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalExpired")
class ApprovalExpired(Event, frozen=True, kw_only=True):
    """The deadline passed without a decision. on_deadline: its consequence, ``reject``, ``approve`` or ``skip``."""

    step: str
    attempt: int
    approval_id: str
    on_deadline: str


@stored("ApprovalCancelled")
class ApprovalCancelled(Event, frozen=True, kw_only=True):
    """The approval is no longer open for a decision; reason as in StepCancelled, or ``step_timed_out``."""

    step: str
    attempt: int
    approval_id: str
    reason: str
