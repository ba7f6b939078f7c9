"""What happens to an execution as a whole; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.event import Event, stored
from domain.executions.events.child import Parent


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """What started an execution: its type (``manual``), its id in the definition, and what it brought."""

    type: str = "manual"
    id: str | None = None
    payload: Any = None


@stored("ExecutionStarted")
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


@stored("ExecutionQueued")
class ExecutionQueued(Event, frozen=True, kw_only=True):
    """As many executions of the process run as may run at once; nothing of this one begins before ExecutionAdmitted."""

    process_id: UUID


@stored("ExecutionAdmitted")
class ExecutionAdmitted(Event, frozen=True, kw_only=True):
    """The execution waited longest and there is room for it; its time runs from now."""

    process_id: UUID


class ExecutionEnded(Event, frozen=True, kw_only=True):
    """What every end of an execution states, so that a reader needs no other event to account for it.

    reports_to: the execution that waits for this end, where one does.
    """

    process_id: UUID
    version: int
    started_at: datetime
    reports_to: UUID | None = None


@stored("ExecutionCompleted")
class ExecutionCompleted(ExecutionEnded, frozen=True, kw_only=True):
    """Every step is completed or skipped."""

    outputs: dict[str, Any]


@stored("ExecutionFailed")
class ExecutionFailed(ExecutionEnded, frozen=True, kw_only=True):
    """A step failed, or what follows could not be worked out; `step` names where, if anywhere."""

    error: StepError
    step: str | None = None


@stored("ExecutionCancelled")
class ExecutionCancelled(ExecutionEnded, frozen=True, kw_only=True):
    """Somebody called it off."""

    reason: str


@stored("ExecutionRetried")
class ExecutionRetried(Event, frozen=True, kw_only=True):
    """A failed execution goes on; `steps` are those that had failed, or were given up for it, and are open again."""

    reason: str
    steps: list[str]
