"""Query parameters: strict models, and the types of their values; each noun declares its own filters with them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from starlette.requests import Request

from domain.identity import PROCESS_NAME
from domain.listed_values import split_values
from domain.refusal import NotFound
from edge.instants import parse_instant, parse_point
from edge.references import batch_named, execution_named, process_named
from edge.refusals import BadRequest, unknown_filter
from queries.epochs import EPOCH_ID
from queries.paging import DEFAULT_LIMIT, LARGEST, MAX_LIMIT

LARGEST_VERSION = 2**31 - 1
MAX_VALUES = 200
LONGEST_VALUES = 1_000
"""The longest text of several values in a field of a form."""
SEVERAL = "Several are separated by commas: any of them. A value with a comma is in double quotes."

Check = Callable[[list[str]], list[str]]


class Parameters(BaseModel):
    """No parameters but those declared, and no text with NUL; a cursor is checked where it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: Any, info: ValidationInfo) -> Any:
        texts = value if isinstance(value, list) else [value]
        if info.field_name != "cursor" and any("\0" in text for text in texts if isinstance(text, str)):
            raise ValueError("a value is text without NUL")
        return value


def _each(values: list[str]) -> list[str]:
    found = [part for value in values for part in split_values(value)]
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


def _each_is(named: Callable[[str], object], what: str) -> Check:
    def check(values: list[str]) -> list[str]:
        for value in values:
            try:
                named(value)
            except NotFound:
                raise ValueError(f"{value[:60]!r} is {what}") from None
        return values

    return check


def _one_of(known: Iterable[str]) -> Check:
    names = tuple(known)

    def check(values: list[str]) -> list[str]:
        for value in values:
            if value not in names:
                raise ValueError(f"one of {', '.join(names)}")
        return values

    return check


Values = Annotated[list[str], AfterValidator(_each)]
Numbers = Annotated[list[str], AfterValidator(_numbers)]
ProcessReferences = Annotated[
    Values,
    AfterValidator(_each_is(process_named, "neither the name nor the id of a process")),
    Field(description=f"Names or ids. {SEVERAL}"),
]
ExecutionReferences = Annotated[Values, AfterValidator(_each_is(execution_named, "not the id of an execution"))]
BatchReferences = Annotated[Values, AfterValidator(_each_is(batch_named, "not the id of a batch"))]
InstantParameter = Annotated[
    datetime, BeforeValidator(parse_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
Position = Annotated[int, Field(ge=0, le=LARGEST)]
_POINT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": LARGEST}, {"type": "string", "format": "date-time"}]}
PointParameter = Annotated[int | datetime, BeforeValidator(parse_point), WithJsonSchema(_POINT)]


def one_of(known: Iterable[str]) -> AfterValidator:
    """Return the check that every value is one of `known`."""
    return AfterValidator(_one_of(known))


class DryRunParameters(Parameters):
    """dry_run: decide on the state as it is, record nothing, and answer with the events that would be recorded."""

    dry_run: Annotated[
        bool, Field(description="Decides, records nothing, and answers 200 with the events that would be recorded.")
    ] = False


class Fresh(Parameters):
    """min_position: the query waits, at most five seconds, until the read model has reached it.

    epoch: of the positions that the request states, as `Procession-Epoch` of an answer names it. 409 `log_went_back`:
    the log has lost one of them. Default: the present epoch.
    """

    min_position: Position | None = None
    epoch: Annotated[str, Field(pattern=f"^{EPOCH_ID}$")] | None = None


class Strictness(Parameters):
    """strict: every warning about a definition is an error."""

    strict: bool = False


class Named(Parameters):
    """The name of the process whose definition the body holds."""

    name: Annotated[
        str | None,
        Field(
            pattern=PROCESS_NAME,
            description="Takes the place of `{{name}}` and `{{process_name}}` at the root of a definition that older "
            "engines ran, and is written into one without a name.",
        ),
    ] = None


class NamedStrictness(Strictness, Named):
    """The parameters of both."""


class Paged(Fresh):
    """A page of a list."""

    cursor: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT

    @property
    def page(self) -> dict[str, Any]:
        """The arguments of a list other than its filters."""
        return {"cursor": self.cursor, "limit": self.limit, "min_position": self.min_position}


class StreamPage(Paged):
    """A page of one stream: events with versions beyond `after`, or beyond the cursor."""

    after: Position = 0


def refuse_parameters(request: Request) -> None:
    """Raise BadRequest where the request has query parameters."""
    if request.scope["query_string"]:
        names = [name for name, _ in parse_qsl(request.url.query, keep_blank_values=True)] or [request.url.query]
        problems = [unknown_filter(name[:60], ()) for name in names[:20]]
        raise BadRequest(problems[0].message, problems, code="unknown_filter")


async def _nothing(request: Request) -> None:
    refuse_parameters(request)


NO_PARAMETERS = Depends(_nothing)
