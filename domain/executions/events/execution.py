"""Events of an execution as a whole; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.event import Event, stored
from domain.executions.events.child import Parent


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """The trigger of an execution: its type (``manual``), its id in the definition, and its payload.

    scheduled_at: the instant of a schedule, without jitter. schedule_id: the schedule that waits for the end.
    """

    type: str = "manual"
    id: str | None = None
    payload: Any = None
    scheduled_at: datetime | None = None
    schedule_id: UUID | None = None


class CausingEvent(msgspec.Struct, frozen=True):
    """The event because of which an agent started an execution, by its stream and its number in it.

    depth: how many executions stand one because of another above this one, those that called one another included.
    """

    stream: UUID
    version: int
    depth: int


@stored("ExecutionStarted")
class ExecutionStarted(Event, frozen=True, kw_only=True):
    """An execution began, pinned to one published version; input is complete, defaults filled in.

    parent: the attempt that started it; None without one. pinned: by its step, the version of each process it may call.
    because: the event that caused an agent to start it; None: none is stated. body: the steps that run, by their path
    in that version, where it is not the process itself.
    """

    process_id: UUID
    process: str
    version: int
    input: dict[str, Any]
    steps: int
    trigger: Trigger = Trigger()
    parent: Parent | None = None
    pinned: dict[str, int] = {}
    because: CausingEvent | None = None
    body: str = ""


@stored("ExecutionQueued")
class ExecutionQueued(Event, frozen=True, kw_only=True):
    """The execution waits for a concurrency slot, or until its process is resumed; ExecutionAdmitted begins it.

    takes_slot: it takes a slot when it begins, because its process limits how many run. slot_key: the key whose slots
    it waits for; empty where the process has one line for all. priority: from -100 to 100; each step comes before those
    that came up to a minute earlier. called: another execution started it, so a pause does not hold it back.
    """

    process_id: UUID
    takes_slot: bool = True
    slot_key: str = ""
    priority: int = 0
    called: bool = False


@stored("ExecutionAdmitted")
class ExecutionAdmitted(Event, frozen=True, kw_only=True):
    """The execution is the first of its line and begins; its time runs from now.

    limit: of executions of its key at once, which it begins within; None where nothing limits them.
    """

    process_id: UUID
    limit: int | None = None


class ExecutionEnded(Event, frozen=True, kw_only=True):
    """The fields common to every end of an execution, so that a reader needs no other event to account for it.

    reports_to: the execution that waits for this end; None without one. schedule_id: the schedule that does. body: as
    in ExecutionStarted.
    """

    process_id: UUID
    version: int
    started_at: datetime
    reports_to: UUID | None = None
    schedule_id: UUID | None = None
    body: str = ""


@stored("ExecutionCompleted")
class ExecutionCompleted(ExecutionEnded, frozen=True, kw_only=True):
    """Every step is completed or skipped."""

    outputs: dict[str, Any]


@stored("ExecutionFailed")
class ExecutionFailed(ExecutionEnded, frozen=True, kw_only=True):
    """A step failed, or the outputs could not be evaluated; `step` names the step, if there is one."""

    error: StepError
    step: str | None = None


@stored("ExecutionCancelled")
class ExecutionCancelled(ExecutionEnded, frozen=True, kw_only=True):
    """A person or a parent execution cancelled it."""

    reason: str


@stored("ExecutionRetried")
class ExecutionRetried(Event, frozen=True, kw_only=True):
    """A failed execution continues; `steps` failed, or were abandoned for the failure, and are open again."""

    reason: str
    steps: list[str]
