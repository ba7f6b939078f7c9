"""What commands answer and what they are sent, as the description of the API tells it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.refusal import Problem

Count = Annotated[int, Meta(ge=0, le=10**12)]
Reason = Annotated[str, Meta(min_length=1, max_length=2_000)]


class Receipt(msgspec.Struct, kw_only=True):
    """position: place in the log up to which the command's effects reach. duplicate: it had been carried out before."""

    position: int
    duplicate: bool = False


class ExecutionStarted(Receipt, kw_only=True):
    """An execution was started."""

    execution_id: UUID
    version: int


class ExecutionAnswered(Receipt, kw_only=True):
    """A command on an execution was carried out."""

    execution_id: UUID


class StepAnswered(Receipt, kw_only=True):
    """An agent's answer was recorded, or had been."""

    execution_id: UUID
    step: str
    attempt: int


class StepRepaired(Receipt, kw_only=True):
    """What an operator decided about a step was recorded."""

    execution_id: UUID
    step: str


class ApprovalDecided(Receipt, kw_only=True):
    """A decision was recorded. duplicate: the same person had decided the same already."""

    execution_id: UUID
    approval_id: str


class TimerChanged(Receipt, kw_only=True):
    """A timer was moved or fired. duplicate: it was due then already."""

    execution_id: UUID
    step: str
    kind: str


class ProcessDrafted(Receipt, kw_only=True):
    """A draft was made or revised. problems: what stands in the way of a publication, and what is worth knowing."""

    process_id: UUID
    name: str
    problems: list[Problem]


class ProcessPublished(Receipt, kw_only=True):
    """The draft became this version."""

    process_id: UUID
    version: int


class ProcessArchived(Receipt, kw_only=True):
    """The process takes no new executions."""

    process_id: UUID


class Validated(msgspec.Struct):
    """problems: errors, which stop a publication. warnings: warnings and notices, which do not."""

    valid: bool
    problems: list[Problem]
    warnings: list[Problem]


class AgentAnswered(Receipt, kw_only=True):
    """A command on an agent was carried out."""

    name: str


class StartBody(msgspec.Struct, forbid_unknown_fields=True):
    """version: a published one; the latest when left out."""

    input: dict[str, Any] = {}
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why, for people."""

    reason: Annotated[str, Meta(max_length=2_000)] | None = None


class CommentBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why, for people; some approvals cannot do without."""

    comment: Annotated[str, Meta(max_length=2_000)] | None = None


class StatedReasonBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why, for people; needed."""

    reason: Reason


class ReassignBody(msgspec.Struct, forbid_unknown_fields=True):
    """agent: who is to do the step."""

    agent: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
    reason: Reason


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """due_at: when the timer is to be due, with an offset; in the past: at once."""

    due_at: datetime
    reason: Reason


class HeartbeatBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A sign of life. token: as for an answer."""

    attempt: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    token: str | None = None


class DefinitionBody(msgspec.Struct):
    """A definition: its text, or the definition itself in place of this object."""

    definition: str | dict[str, Any] | None = None


class AgentBody(msgspec.Struct):
    """How the agent is called; further fields depend on its kind."""

    kind: str


class UsageBody(msgspec.Struct):
    """Tokens the attempt used; whatever else the agent says about its usage is kept as it is."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0


class CostBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the attempt cost: amount is an exact decimal, such as "0.0049"."""

    amount: str
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class ErrorBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why the attempt failed. permanent: trying again cannot help."""

    code: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
    message: Annotated[str, Meta(max_length=10_000)]
    permanent: bool = False


class CompleteBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent's answer. token: that of the attempt, unless it is shown as ``Authorization: Bearer``."""

    attempt: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    output: Any
    token: str | None = None
    usage: UsageBody | None = None
    cost: CostBody | None = None


class FailBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent's failure. token: as for an answer."""

    attempt: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    error: ErrorBody
    token: str | None = None
    usage: UsageBody | None = None
    cost: CostBody | None = None
