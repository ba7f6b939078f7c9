"""Query parameters: declared once, strict, and unknown ones refused on every route."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.requests import Request

from api.errors import unknown_filter
from api.instants import parse_instant, parse_point
from api.references import execution_named, process_named
from api.refusals import BadRequest
from domain.refusal import NotFound
from queries.executions import STATUSES
from queries.paging import DEFAULT_LIMIT, LARGEST, MAX_LIMIT

MAX_VALUES = 200


def _each(values: list[str]) -> list[str]:
    found = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if len(found) > MAX_VALUES:
        raise ValueError(f"at most {MAX_VALUES} values")
    if any("\0" in part or len(part) > 200 for part in found):
        raise ValueError("a value is text of at most 200 characters without NUL")
    return found


def _numbers(values: list[str]) -> list[str]:
    numbers = _each(values)
    for part in numbers:
        if not (part.isascii() and part.isdigit() and len(part) <= 9):
            raise ValueError("whole numbers, separated by commas")
    return numbers


def _references(values: list[str]) -> list[str]:
    for value in values:
        try:
            process_named(value)
        except NotFound:
            raise ValueError(f"{value[:60]!r} is neither the name nor the id of a process") from None
    return values


def _executions(values: list[str]) -> list[str]:
    for value in values:
        try:
            execution_named(value)
        except NotFound:
            raise ValueError(f"{value[:60]!r} is not the id of an execution") from None
    return values


def _one_of(known: Iterable[str]) -> Callable[[list[str]], list[str]]:
    names = tuple(known)

    def check(values: list[str]) -> list[str]:
        for value in values:
            if value not in names:
                raise ValueError(f"one of {', '.join(names)}")
        return values

    return check


Values = Annotated[list[str], AfterValidator(_each)]
Numbers = Annotated[list[str], AfterValidator(_numbers)]
Instant = Annotated[datetime, BeforeValidator(parse_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Position = Annotated[int, Field(ge=0, le=LARGEST)]
_POINT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": LARGEST}, {"type": "string", "format": "date-time"}]}
Point = Annotated[int | datetime, BeforeValidator(parse_point), WithJsonSchema(_POINT)]

PROCESS_STATUSES = ("draft", "published", "archived")
AGENT_STATUSES = ("active", "retired")
APPROVAL_STATUSES = ("open", "granted", "refused", "changes_requested", "expired", "cancelled")
TIMER_FILTERS = ("overdue",)
SEVERAL = "Several are separated by commas: any of them."


class Asked(BaseModel):
    """No parameters but those declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fresh(Asked):
    """min_position: wait, at most five seconds, until the read model has reached it."""

    min_position: Position | None = None


class ExecutionAsked(Fresh):
    """as_of: the execution as it was there, from its own events; a position in the log, or an instant."""

    as_of: Point | None = None


class DifferenceAsked(Fresh):
    """Two points: positions in the log, or instants."""

    point_from: Annotated[Point, Field(alias="from")]
    point_to: Annotated[Point, Field(alias="to")]


class Paged(Fresh):
    """A page of a list."""

    cursor: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT

    @property
    def page(self) -> dict[str, Any]:
        """What the list is asked for, filters aside."""
        return {"cursor": self.cursor, "limit": self.limit, "min_position": self.min_position}


class ExecutionsAsked(Paged):
    """Filters of the executions."""

    process: Annotated[Values, AfterValidator(_references), Field(description=f"Names or ids. {SEVERAL}")] = []
    version: Annotated[Numbers, Field(description=f"Published versions. {SEVERAL}")] = []
    status: Annotated[Values, AfterValidator(_one_of(STATUSES)), Field(description=", ".join(STATUSES))] = []
    trigger: Annotated[
        Values, Field(description=f"What started them: manual, webhook, sub_process (children). {SEVERAL}")
    ] = []
    parent: Annotated[
        Values, AfterValidator(_executions), Field(description=f"Ids: those that these executions started. {SEVERAL}")
    ] = []
    root: Annotated[
        Values, AfterValidator(_executions), Field(description=f"Ids: these, and all executions below them. {SEVERAL}")
    ] = []
    include_children: Annotated[
        bool,
        Field(
            description="Whether executions that others started are listed too, as they are when asked for by parent, "
            "root or the trigger sub_process."
        ),
    ] = False
    started_from: Annotated[Instant | None, Field(alias="from", description="Started then or later.")] = None
    started_to: Annotated[Instant | None, Field(alias="to", description="Started before.")] = None


class ProcessesAsked(Paged):
    """Filters of the processes."""

    name: Annotated[Values, Field(description=SEVERAL)] = []
    status: Annotated[
        Values, AfterValidator(_one_of(PROCESS_STATUSES)), Field(description=", ".join(PROCESS_STATUSES))
    ] = []
    owner: Annotated[Values, Field(description=SEVERAL)] = []


class AgentsAsked(Paged):
    """Filters of the agents."""

    name: Annotated[Values, Field(description=SEVERAL)] = []
    kind: Annotated[Values, Field(description=SEVERAL)] = []
    status: Annotated[
        Values, AfterValidator(_one_of(AGENT_STATUSES)), Field(description=", ".join(AGENT_STATUSES))
    ] = []


class ApprovalsAsked(Paged):
    """Filters of the approvals."""

    process: Annotated[Values, AfterValidator(_references), Field(description=f"Names or ids. {SEVERAL}")] = []
    status: Annotated[
        Values, AfterValidator(_one_of(APPROVAL_STATUSES)), Field(description=", ".join(APPROVAL_STATUSES))
    ] = []
    approver: Annotated[Values, Field(description=f"Those that they may decide. {SEVERAL}")] = []


class TimersAsked(Paged):
    """Filters of the timers."""

    due: Annotated[
        Values, AfterValidator(_one_of(TIMER_FILTERS)), Field(description="overdue: only those that should have fired.")
    ] = []


class StreamPage(Paged):
    """A page of one stream: events with versions beyond `after`, or beyond the cursor."""

    after: Position = 0


class LogPage(StreamPage):
    """A page of the log: events with positions beyond `after`, or beyond the cursor."""

    type: Annotated[Values, Field(description=f"Stored names such as StepCompleted. {SEVERAL}")] = []


class StreamAsked(Asked):
    """execution: only the events of this one."""

    execution: str | None = None


async def _nothing(request: Request) -> None:
    if request.scope["query_string"]:
        names = [name for name, _ in parse_qsl(request.url.query, keep_blank_values=True)] or [request.url.query]
        problems = [unknown_filter(name[:60], ()) for name in names[:20]]
        raise BadRequest(problems[0].message, problems, code="unknown_filter")


NO_PARAMETERS = Depends(_nothing)
