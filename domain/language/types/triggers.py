"""The triggers of executions: one class a type of trigger, and a row each in the registry."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from domain.agents.references import check_reference
from domain.agents.secret_names import REFERENCE
from domain.calendar.cron import InvalidCron, check_cron
from domain.calendar.exceptions import InvalidDays, days_of, is_calendar
from domain.calendar.times import ClockTime, TimeText, Weekday, ZoneName
from domain.language.types.parts import FieldName, Part
from domain.language.types.quantities import Duration

LONGEST_JITTER = timedelta(days=1)
SHORTEST_INTERVAL = timedelta(seconds=1)
MOST_EXCEPTIONS = 400

Preset = Literal["hourly", "daily", "weekdays", "weekly", "monthly"]


def _cron(text: str) -> str:
    try:
        return check_cron(text)
    except InvalidCron as error:
        raise PydanticCustomError(error.code, "{reason}", {"reason": str(error)}) from None


def _day(value: Any) -> int | str:
    if value == "last" or (type(value) is int and 1 <= value <= 31):
        return value  # type: ignore[no-any-return]
    raise PydanticCustomError("invalid_day", "a day of the month is a number from 1 to 31, or `last`")


def _exception(entry: str) -> str:
    try:
        if not is_calendar(entry):
            days_of(entry)
    except InvalidDays as error:
        raise PydanticCustomError(error.code, "{reason}", {"reason": str(error)}) from None
    return entry


def _interval(duration: timedelta) -> timedelta:
    if duration < SHORTEST_INTERVAL:
        raise PydanticCustomError("duration_too_short", "an interval is at least a second")
    return duration


def _jitter(duration: timedelta) -> timedelta:
    if duration > LONGEST_JITTER:
        raise PydanticCustomError("duration_too_long", "this is longer than a day")
    return duration


_DAY = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 31}, {"const": "last"}]}
_WEEKDAY = {
    "type": "string",
    "pattern": "^(?:[mM][oO][nN]|[tT][uU][eE]|[wW][eE][dD]|[tT][hH][uU]|[fF][rR][iI]|[sS][aAuU][tTnN])",
}
_ONE_OR_MORE = {"anyOf": [_WEEKDAY, {"type": "array", "items": _WEEKDAY, "minItems": 1}]}

_ENTRY = {"type": "string", "minLength": 1, "maxLength": 64}

_SECRET = {"type": "string", "pattern": f"^{REFERENCE.pattern}$"}

CronText = Annotated[str, AfterValidator(_cron)]
DayOfMonth = Annotated[int | Literal["last"], BeforeValidator(_day), WithJsonSchema(_DAY)]
ExceptionDays = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_exception)], ...],
    Field(strict=False, min_length=1, max_length=MOST_EXCEPTIONS),
    WithJsonSchema({"anyOf": [_ENTRY, {"type": "array", "items": _ENTRY, "minItems": 1, "maxItems": MOST_EXCEPTIONS}]}),
]
Weekdays = Annotated[tuple[Weekday, ...], Field(strict=False, min_length=1), WithJsonSchema(_ONE_OR_MORE)]


class TriggerDefinition(Part):
    """The fields of all types; `input` is merged under the caller's input."""

    type: Literal["manual", "webhook", "schedule"]
    id: FieldName
    enabled: bool = True
    input: dict[str, Any] = Field(default_factory=dict)


class ManualTrigger(TriggerDefinition):
    """A person or a program starts the execution by a command."""

    type: Literal["manual"]


class WebhookTrigger(TriggerDefinition):
    """An incoming call starts the execution.

    secret: its credential, as a reference to an environment variable, ``${NAME}``.
    """

    type: Literal["webhook"]
    secret: Annotated[str, AfterValidator(check_reference), WithJsonSchema(_SECRET)] | None = None


class Dst(Part):
    """The treatment of a time that clocks skip (gap), and of one that they show twice (overlap)."""

    gap: Literal["shift", "skip"] = "shift"
    overlap: Literal["first", "second", "both"] = "first"


if TYPE_CHECKING:
    ExceptingTrigger = TriggerDefinition
else:
    # `except` is a word of Python, which no class body can use as a name.
    ExceptingTrigger = create_model(
        "ExceptingTrigger", __base__=TriggerDefinition, **{"except": (ExceptionDays | None, None)}
    )


class ScheduleTrigger(ExceptingTrigger):
    """A schedule starts the execution: one of cron, preset and every, the preset with `at`, `on` and `day`.

    at: None is 00:00; an hourly one takes a minute. on: days of a weekly one, None is Monday. day: of a monthly one,
    None is the first; short_month: the day in a month that has no such day. every: an interval of time that passes.
    overlap: the effect of a time at which the last execution has not ended. catch_up: the times made up for after an
    interruption, of those not longer ago than catch_up_window. starts_at, ends_at: no time before, none from it on;
    without an offset in `timezone`. jitter: longest delay. except: dates, ranges and calendars on which no execution
    starts, or another day by on_exception. pause_after: failed executions in a row that pause the schedule.
    """

    listed: ClassVar[tuple[str, ...]] = ("except",)

    type: Literal["schedule"]
    cron: CronText | None = None
    preset: Preset | None = None
    at: ClockTime | None = None
    on: Weekdays | None = None
    day: DayOfMonth | None = None
    short_month: Literal["last_day", "skip"] = "last_day"
    timezone: ZoneName = "UTC"
    dst: Dst = Dst()
    overlap: Literal["skip", "buffer_one", "allow", "cancel_running"] = "skip"
    catch_up: Literal["latest", "all", "none"] = "latest"
    catch_up_window: Duration = timedelta(hours=1)
    starts_at: TimeText | None = None
    ends_at: TimeText | None = None
    jitter: Annotated[Duration, AfterValidator(_jitter)] | None = None
    every: Annotated[Duration, AfterValidator(_interval)] | None = None
    on_exception: Literal["skip", "next_day", "previous_day"] = "skip"
    pause_after: Annotated[int, Field(ge=1, le=1_000)] | None = None

    # The fields that each preset uses.
    takes: ClassVar[dict[str, frozenset[str]]] = {
        "hourly": frozenset({"at"}),
        "daily": frozenset({"at"}),
        "weekdays": frozenset({"at"}),
        "weekly": frozenset({"at", "on"}),
        "monthly": frozenset({"at", "day", "short_month"}),
    }

    @property
    def except_(self) -> Sequence[str] | None:
        """The field `except`."""
        entries: Sequence[str] | None = getattr(self, "except")
        return entries

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        one = [{"required": [name]} for name in ("cron", "preset", "every")]
        schema.setdefault("allOf", []).append({"oneOf": one})
        return schema


AnyTrigger: TypeAlias = Annotated[ManualTrigger | WebhookTrigger | ScheduleTrigger, Field(discriminator="type")]

TRIGGER_TYPES: dict[str, type[TriggerDefinition]] = {
    "manual": ManualTrigger,
    "webhook": WebhookTrigger,
    "schedule": ScheduleTrigger,
}
