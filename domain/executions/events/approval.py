"""What happens to an approval, in the stream of its execution; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.event import Event, stored


@stored("ApprovalRequested")
class ApprovalRequested(Event, frozen=True, kw_only=True):
    """People are asked whether the process may go on; the texts are as they are shown to them.

    approval_id: ``<execution_id>:<step>:<attempt>``. approvers: who may decide; empty for anybody.
    deadline: until when, None for no limit.
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
    """Somebody said yes; StepCompleted follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalRefused")
class ApprovalRefused(Event, frozen=True, kw_only=True):
    """Somebody said no; StepFailed follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalChangesRequested")
class ApprovalChangesRequested(Event, frozen=True, kw_only=True):
    """Somebody wants something changed first; StepFailed follows."""

    step: str
    attempt: int
    approval_id: str
    by: str
    comment: str = ""


@stored("ApprovalExpired")
class ApprovalExpired(Event, frozen=True, kw_only=True):
    """Nobody decided in time. on_deadline: what follows from that, ``reject``, ``approve`` or ``skip``."""

    step: str
    attempt: int
    approval_id: str
    on_deadline: str


@stored("ApprovalCancelled")
class ApprovalCancelled(Event, frozen=True, kw_only=True):
    """Nobody is asked any more; reason as in StepCancelled, or ``step_timed_out``."""

    step: str
    attempt: int
    approval_id: str
    reason: str
