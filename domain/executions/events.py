"""What happens in an execution; each class is stored under its own name for ever."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError, Usage
from domain.event import Event
from domain.executions.child_events import Parent
from domain.money import Money


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """What started an execution: its type (``manual``), its id in the definition, and what it brought."""

    type: str = "manual"
    id: str | None = None
    payload: Any = None


class ExecutionStarted(Event, frozen=True, kw_only=True):
    """An execution began, pinned to one published version; input is complete, defaults filled in.

    parent: the attempt that started it, where one did. pinned: by its step, the version of each process it may call.
    """

    process_id: UUID
    process: str
    version: int
    input: dict[str, Any]
    steps: int
    trigger: Trigger = Trigger()
    parent: Parent | None = None
    pinned: dict[str, int] = {}


class ExecutionQueued(Event, frozen=True, kw_only=True):
    """As many executions of the process run as may run at once; nothing of this one begins before ExecutionAdmitted."""

    process_id: UUID


class ExecutionAdmitted(Event, frozen=True, kw_only=True):
    """The execution waited longest and there is room for it; its time runs from now."""

    process_id: UUID


class StepScheduled(Event, frozen=True, kw_only=True):
    """An attempt of a step is due; input is what the agent will be given, rendered now."""

    step: str
    attempt: int
    agent: str
    message: Any
    parameters: dict[str, Any] = {}


class StepStarted(Event, frozen=True, kw_only=True):
    """A worker took the attempt and calls the agent."""

    step: str
    attempt: int


class StepReclaimed(Event, frozen=True, kw_only=True):
    """The worker that had the attempt was lost; another one calls the agent again, with the same idempotency key."""

    step: str
    attempt: int


class StepAccepted(Event, frozen=True, kw_only=True):
    """The agent took the attempt and will answer later by calling back."""

    step: str
    attempt: int


class StepCompleted(Event, frozen=True, kw_only=True):
    """The agent's answer is recorded; started_at is when this attempt began."""

    step: str
    attempt: int
    output: Any
    started_at: datetime


class StepFailed(Event, frozen=True, kw_only=True):
    """The attempt ended with an error."""

    step: str
    attempt: int
    error: StepError
    started_at: datetime | None = None


class StepTimedOut(Event, frozen=True, kw_only=True):
    """The step took too long. scope: ``attempt`` for its timeout, ``total`` for its total_timeout.

    started_at: when the attempt that this ended began; None when none was under way. tell: the agent that had taken the
    attempt to answer later, and is to be told.
    """

    step: str
    attempt: int
    scope: str
    started_at: datetime | None = None
    tell: str | None = None


class StepHeartbeatMissed(Event, frozen=True, kw_only=True):
    """The agent that was to answer later gave no sign of life in time; StepFailed follows. tell: as in StepTimedOut."""

    step: str
    attempt: int
    tell: str | None = None


class StepRetryScheduled(Event, frozen=True, kw_only=True):
    """After an attempt that ended with error `code`, attempt number `attempt` is to be made at due_at."""

    step: str
    attempt: int
    due_at: datetime
    code: str


class StepSkipped(Event, frozen=True, kw_only=True):
    """The step will not run, or what became of it no longer counts.

    reason: ``condition_false``, ``branch_not_taken``, ``on_error``, ``on_timeout``, ``on_deadline`` or ``operator``.
    comment: why, in the words of the operator who skipped it.
    """

    step: str
    reason: str
    comment: str = ""


class StepDiverted(Event, frozen=True, kw_only=True):
    """The step did not succeed and the process goes on at `target` alone. reason: ``on_error`` or ``on_timeout``."""

    step: str
    target: str
    reason: str


class StepCancelled(Event, frozen=True, kw_only=True):
    """The attempt was given up: its execution ended first, or an operator wanted otherwise.

    reason: ``execution_failed``, ``execution_cancelled``, ``retried``, ``skipped`` or ``reassigned``.
    tell: as in StepTimedOut.
    """

    step: str
    attempt: int
    reason: str
    started_at: datetime | None = None
    tell: str | None = None


class StepAnswerIgnored(Event, frozen=True, kw_only=True):
    """An agent answered an attempt that was over. reason: how it had ended, as ``step_timed_out``."""

    step: str
    attempt: int
    reason: str


class StepRetried(Event, frozen=True, kw_only=True):
    """An operator wants the step done again; its retry policy and total_timeout begin anew."""

    step: str
    reason: str


class StepReassigned(Event, frozen=True, kw_only=True):
    """An operator gave the step to another agent; its retry policy and total_timeout begin anew."""

    step: str
    agent: str
    reason: str


class TimerStarted(Event, frozen=True, kw_only=True):
    """A timer step was reached and waits until due_at."""

    step: str
    attempt: int
    due_at: datetime


class TimerFired(Event, frozen=True, kw_only=True):
    """A timer step's time has come. lateness: how long after due_at that was noticed, never negative."""

    step: str
    attempt: int
    due_at: datetime
    lateness: timedelta


class TimerCancelled(Event, frozen=True, kw_only=True):
    """A timer step waits no longer; reason as in StepCancelled, or ``step_timed_out``."""

    step: str
    attempt: int
    reason: str


class TimerMoved(Event, frozen=True, kw_only=True):
    """An operator set another time.

    kind: ``timer``, ``timeout``, ``total_timeout``, ``retry``, ``heartbeat`` or ``deadline``.
    """

    step: str
    kind: str
    due_at: datetime
    reason: str


class RouteChecked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One route of a gateway: where it leads, its condition as written (None when it has none), and whether it held."""

    target: str
    value: bool
    condition: str | None = None


class GatewayEvaluated(Event, frozen=True, kw_only=True):
    """The gateway looked at its conditions, in order and as far as was needed, and chose where to go on.

    default: whether no condition held and the default route was chosen for that.
    """

    step: str
    attempt: int
    conditions: list[RouteChecked]
    chosen: list[str]
    default: bool = False


class CostRecorded(Event, frozen=True, kw_only=True):
    """What an attempt used and, where the agent said so, what it cost: exact, as reported."""

    step: str
    attempt: int
    agent: str
    usage: Usage | None = None
    cost: Money | None = None


class ExecutionEnded(Event, frozen=True, kw_only=True):
    """What every end of an execution states, so that a reader needs no other event to account for it.

    reports_to: the execution that waits for this end, where one does.
    """

    process_id: UUID
    version: int
    started_at: datetime
    reports_to: UUID | None = None


class ExecutionCompleted(ExecutionEnded, frozen=True, kw_only=True):
    """Every step is completed or skipped."""

    outputs: dict[str, Any]


class ExecutionFailed(ExecutionEnded, frozen=True, kw_only=True):
    """A step failed, or what follows could not be worked out; `step` names where, if anywhere."""

    error: StepError
    step: str | None = None


class ExecutionCancelled(ExecutionEnded, frozen=True, kw_only=True):
    """Somebody called it off."""

    reason: str


class ExecutionRetried(Event, frozen=True, kw_only=True):
    """A failed execution goes on; `steps` are those that had failed, or were given up for it, and are open again."""

    reason: str
    steps: list[str]
