"""What happens in an execution; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError, Usage
from domain.event import Event
from domain.money import Money


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """What started an execution: its type (``manual``), its id in the definition, and what it brought."""

    type: str = "manual"
    id: str | None = None
    payload: Any = None


class ExecutionStarted(Event, frozen=True, kw_only=True):
    """An execution began, pinned to one published version; input is complete, defaults filled in."""

    process_id: UUID
    process: str
    version: int
    input: dict[str, Any]
    steps: int
    trigger: Trigger = Trigger()


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


class StepSkipped(Event, frozen=True, kw_only=True):
    """The step will not run: reason is ``condition_false``."""

    step: str
    reason: str


class StepCancelled(Event, frozen=True, kw_only=True):
    """The attempt was given up because its execution ended first."""

    step: str
    attempt: int
    reason: str
    started_at: datetime | None = None


class CostRecorded(Event, frozen=True, kw_only=True):
    """What an attempt used and, where the agent said so, what it cost: exact, as reported."""

    step: str
    attempt: int
    agent: str
    usage: Usage | None = None
    cost: Money | None = None


class ExecutionEnded(Event, frozen=True, kw_only=True):
    """What every end of an execution states, so that a reader needs no other event to account for it."""

    process_id: UUID
    version: int
    started_at: datetime


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
