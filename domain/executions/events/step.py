"""Events of a step of an execution; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any

import msgspec

from domain.agents.calls import StepError
from domain.event import Event, stored


@stored("StepScheduled")
class StepScheduled(Event, frozen=True, kw_only=True):
    """An attempt of a step is due; input is the agent's input, rendered now."""

    step: str
    attempt: int
    agent: str
    message: Any
    parameters: dict[str, Any] = {}


@stored("StepStarted")
class StepStarted(Event, frozen=True, kw_only=True):
    """A worker claimed the attempt and calls the agent."""

    step: str
    attempt: int


@stored("StepReclaimed")
class StepReclaimed(Event, frozen=True, kw_only=True):
    """The worker of the attempt was lost; another one calls the agent again, with the same idempotency key."""

    step: str
    attempt: int


@stored("StepAccepted")
class StepAccepted(Event, frozen=True, kw_only=True):
    """The agent took the attempt and will answer later by calling back."""

    step: str
    attempt: int


@stored("BackgroundResponseStarted")
class BackgroundResponseStarted(Event, frozen=True, kw_only=True):
    """The model works on the attempt under this id, and a worker polls for its answer; another worker does so too."""

    step: str
    attempt: int
    response_id: str


@stored("StepCompleted")
class StepCompleted(Event, frozen=True, kw_only=True):
    """The agent's answer is recorded; started_at is when this attempt began."""

    step: str
    attempt: int
    output: Any
    started_at: datetime


@stored("StepFailed")
class StepFailed(Event, frozen=True, kw_only=True):
    """The attempt ended with an error."""

    step: str
    attempt: int
    error: StepError
    started_at: datetime | None = None


@stored("StepTimedOut")
class StepTimedOut(Event, frozen=True, kw_only=True):
    """The step took too long. scope: ``attempt`` for its timeout, ``total`` for its total_timeout.

    started_at: the start of the attempt that this ended; None when none was under way. tell: the agent that had taken
    the attempt to answer later, and is to be notified.
    """

    step: str
    attempt: int
    scope: str
    started_at: datetime | None = None
    tell: str | None = None


@stored("StepHeartbeatMissed")
class StepHeartbeatMissed(Event, frozen=True, kw_only=True):
    """An agent that was to answer later sent no heartbeat in time; StepFailed follows. tell: as in StepTimedOut."""

    step: str
    attempt: int
    tell: str | None = None


@stored("StepRetryScheduled")
class StepRetryScheduled(Event, frozen=True, kw_only=True):
    """After an attempt that ended with error `code`, attempt number `attempt` is due at due_at."""

    step: str
    attempt: int
    due_at: datetime
    code: str


@stored("StepSkipped")
class StepSkipped(Event, frozen=True, kw_only=True):
    """The step will not run, or its result no longer counts.

    reason: ``condition_false``, ``branch_not_taken``, ``on_error``, ``on_timeout``, ``on_deadline`` or ``operator``.
    comment: the operator's reason, in their own words.
    """

    step: str
    reason: str
    comment: str = ""


@stored("StepDiverted")
class StepDiverted(Event, frozen=True, kw_only=True):
    """The step did not succeed and the process continues at `target` alone. reason: ``on_error`` or ``on_timeout``."""

    step: str
    target: str
    reason: str


@stored("StepCancelled")
class StepCancelled(Event, frozen=True, kw_only=True):
    """The attempt was cancelled: its execution ended first, or by an operator's command.

    reason: ``execution_failed``, ``execution_cancelled``, ``retried``, ``skipped`` or ``reassigned``. tell: as in
    StepTimedOut.
    """

    step: str
    attempt: int
    reason: str
    started_at: datetime | None = None
    tell: str | None = None


@stored("StepAnswerIgnored")
class StepAnswerIgnored(Event, frozen=True, kw_only=True):
    """An agent answered an attempt that was over. reason: its end, as ``step_timed_out``."""

    step: str
    attempt: int
    reason: str


@stored("StepRetried")
class StepRetried(Event, frozen=True, kw_only=True):
    """An operator retried the step; its retry policy and total_timeout begin anew."""

    step: str
    reason: str


@stored("StepReassigned")
class StepReassigned(Event, frozen=True, kw_only=True):
    """An operator reassigned the step to another agent; its retry policy and total_timeout begin anew."""

    step: str
    agent: str
    reason: str


class RouteChecked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One route of a gateway: its target, its condition as written (None when it has none), and whether it held."""

    target: str
    value: bool
    condition: str | None = None


@stored("GatewayEvaluated")
class GatewayEvaluated(Event, frozen=True, kw_only=True):
    """The gateway evaluated its conditions, in order and as far as was needed, and chose its targets.

    default: whether no condition held and the default route was chosen.
    """

    step: str
    attempt: int
    conditions: list[RouteChecked]
    chosen: list[str]
    default: bool = False
