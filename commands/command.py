"""The form of every command: a frozen value, declared once, by which doors check bodies and describe themselves."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from commands.deciding import Identified
from commands.receipt import Receipt
from domain.event import Cause
from domain.identity import AGENT_NAME
from domain.templates.references import TemplateReference

MAX_TEXT = 2_000


class CommandScope(StrEnum):
    """The permission that a command requires of its actor, by the type of thing that the command changes."""

    PROCESSES_WRITE = "processes:write"
    EXECUTIONS_WRITE = "executions:write"
    STEPS_ANSWER = "steps:answer"
    STEPS_REPAIR = "steps:repair"
    TIMERS_WRITE = "timers:write"
    SCHEDULES_WRITE = "schedules:write"
    ALERTS_WRITE = "alerts:write"
    APPROVALS_DECIDE = "approvals:decide"
    AGENTS_WRITE = "agents:write"
    KEYS_WRITE = "keys:write"
    OPERATIONS_WRITE = "operations:write"
    COSTS_WRITE = "costs:write"
    INBOX_WRITE = "inbox:write"
    TEMPLATES_WRITE = "templates:write"


class Command(msgspec.Struct, frozen=True):
    """An intent. A field is part of the body that a door reads, unless `Beside` marks it.

    In a body, null stands for a field that is left out. Annotations state the limits that doors check and describe.
    """

    scope: ClassVar[CommandScope]


C = TypeVar("C", bound=Command)
Handle = Callable[[C, Cause, Identified], Receipt]
"""The handler of one kind of command; it carries the command out in one append."""


class Beside(msgspec.Struct, frozen=True):
    """Marks a field that stands beside the body: in the path, in a header, or decided by the door itself.

    noun: the kind of thing that the text in a path refers to; empty for other texts. REVISION: the If-Match header.
    """

    noun: str = ""


REVISION = "revision"

ProcessId = Annotated[UUID, Beside("process")]
ExecutionId = Annotated[UUID, Beside("execution")]
ScheduleId = Annotated[UUID, Beside("schedule")]
AgentName = Annotated[str, Beside("agent")]
TemplateId = Annotated[TemplateReference, Beside("template")]
StepReference = Annotated[str, Beside()]
Revision = Annotated[int | None, Beside(REVISION)]
"""The version of the stream that the command was decided on; None: any."""

Note = Annotated[str, Meta(max_length=MAX_TEXT)]
Reason = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, extra={"blank": "says why"})]
VersionNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]
NameOfAgent = Annotated[str, Meta(pattern=f"^{AGENT_NAME.pattern}$")]
