"""The stored shape of each event as far as projections read it, with JSON documents left as the text they are."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.money import Money

# Each class below has the name its event is stored under, and some of its fields. A document is a Raw: what an agent
# answered goes into a json column byte for byte, without being taken apart.
NULL, EMPTY, NONE = msgspec.Raw(b"null"), msgspec.Raw(b"{}"), msgspec.Raw(b"[]")


class _At(msgspec.Struct, gc=False):
    at: datetime


class _Trigger(msgspec.Struct, frozen=True, gc=False):
    type: str = "manual"
    id: str | None = None
    payload: msgspec.Raw = NULL


class _Parent(msgspec.Struct, frozen=True, gc=False):
    execution_id: UUID
    step: str
    attempt: int
    root: UUID
    depth: int
    path: list[UUID]


class ExecutionStarted(_At, gc=False, kw_only=True):
    actor: str
    process_id: UUID
    process: str
    version: int
    input: msgspec.Raw
    steps: int
    trigger: _Trigger = _Trigger()
    parent: _Parent | None = None


class ExecutionQueued(_At, gc=False, kw_only=True):
    process_id: UUID


class ExecutionAdmitted(ExecutionQueued, gc=False, kw_only=True):
    pass


class StepScheduled(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    agent: str
    message: msgspec.Raw
    parameters: msgspec.Raw = EMPTY


class StepStarted(_At, gc=False, kw_only=True):
    step: str
    attempt: int


class StepReclaimed(StepStarted, gc=False, kw_only=True):
    pass


class StepAccepted(StepStarted, gc=False, kw_only=True):
    pass


class StepCompleted(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    output: msgspec.Raw
    started_at: datetime


class StepFailed(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    error: msgspec.Raw
    started_at: datetime | None = None


class StepTimedOut(_At, gc=False, kw_only=True):
    step: str
    scope: str


class StepHeartbeatMissed(StepStarted, gc=False, kw_only=True):
    pass


class StepRetryScheduled(_At, gc=False, kw_only=True):
    step: str
    due_at: datetime


class StepDiverted(_At, gc=False, kw_only=True):
    step: str
    target: str


class StepSkipped(_At, gc=False, kw_only=True):
    step: str
    reason: str


class StepCancelled(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    reason: str
    started_at: datetime | None = None


class StepAnswerIgnored(StepStarted, gc=False, kw_only=True):
    pass


class StepRetried(_At, gc=False, kw_only=True):
    step: str


class StepReassigned(_At, gc=False, kw_only=True):
    step: str
    agent: str


class TimerStarted(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    due_at: datetime


class TimerFired(StepStarted, gc=False, kw_only=True):
    pass


class TimerCancelled(StepStarted, gc=False, kw_only=True):
    pass


class TimerMoved(_At, gc=False, kw_only=True):
    step: str
    kind: str
    due_at: datetime


class ApprovalRequested(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    approval_id: str
    process_id: UUID
    process: str
    title: str
    description: str = ""
    approvers: msgspec.Raw = NONE
    artifacts: msgspec.Raw = NONE
    deadline: datetime | None = None


class ApprovalGranted(StepStarted, gc=False, kw_only=True):
    by: str
    comment: str = ""


class ApprovalRefused(ApprovalGranted, gc=False, kw_only=True):
    pass


class ApprovalChangesRequested(ApprovalGranted, gc=False, kw_only=True):
    pass


class ApprovalExpired(StepStarted, gc=False, kw_only=True):
    pass


class ApprovalCancelled(StepStarted, gc=False, kw_only=True):
    pass


class SubProcessStarted(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    input: msgspec.Raw
    wait: bool = True


class SubProcessClosed(StepStarted, gc=False, kw_only=True):
    pass


class CompensationRequired(_At, gc=False, kw_only=True):
    outcome: str


class CompensationStarted(_At, gc=False, kw_only=True):
    step: str


class CompensationCompleted(CompensationStarted, gc=False, kw_only=True):
    pass


class CompensationFailed(CompensationStarted, gc=False, kw_only=True):
    pass


class GatewayEvaluated(_At, gc=False, kw_only=True):
    step: str
    attempt: int
    conditions: msgspec.Raw
    chosen: msgspec.Raw


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int = 0
    output_tokens: int = 0


class CostRecorded(_At, gc=False, kw_only=True):
    step: str
    usage: _Usage | None = None
    cost: Money | None = None


class ExecutionCompleted(_At, gc=False, kw_only=True):
    process_id: UUID
    outputs: msgspec.Raw


class ExecutionFailed(_At, gc=False, kw_only=True):
    process_id: UUID
    error: msgspec.Raw


class ExecutionCancelled(_At, gc=False, kw_only=True):
    process_id: UUID
    reason: str


class ExecutionRetried(_At, gc=False, kw_only=True):
    steps: list[str]


class ProcessDrafted(_At, gc=False, kw_only=True):
    name: str
    source: str


class ProcessRevised(ProcessDrafted, gc=False, kw_only=True):
    pass


class ProcessPublished(_At, gc=False, kw_only=True):
    actor: str
    name: str
    version: int
    source: str
    definition: msgspec.Raw


class ProcessArchived(_At, gc=False, kw_only=True):
    name: str


class TriggerClaimed(_At, gc=False, kw_only=True):
    process_id: UUID


class AgentRegistered(_At, gc=False, kw_only=True):
    name: str
    kind: str
    config: msgspec.Raw


class AgentRetired(_At, gc=False, kw_only=True):
    name: str


SHAPES: dict[str, type[_At]] = {
    name: shape
    for name, shape in sorted(globals().items())
    if isinstance(shape, type) and issubclass(shape, _At) and shape is not _At
}
