"""The step type `timer`: waits for a duration or until a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.calendar.durations import parse_duration
from domain.calendar.times import ZoneName, check_time
from domain.calendar.zones import instant_of, parse_time, parse_zone
from domain.language.expressions import JSON, EvaluationFailed, Scope, TextTemplate, parse_template
from domain.language.types.parts import TemplateText
from domain.language.types.quantities import ONE_YEAR, DelayOrTemplate
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.step import Step

# The same day next year is never too far away.
FARTHEST = ONE_YEAR + timedelta(days=1)


def _time_or_template(text: str) -> str:
    return text if "{{" in text else check_time(text)


class Timer(Step):
    """A timer. One of duration and until, each a constant or a template. timezone: of a time without an offset."""

    also: ClassVar[dict[str, str]] = {"delay": "duration"}
    templates: ClassVar[tuple[str, ...]] = ("duration", "until")
    takes_defaults: ClassVar[bool] = False
    inside: ClassVar[str | None] = "config"

    type: Literal["timer"]
    duration: DelayOrTemplate | None = None
    until: Annotated[TemplateText, AfterValidator(_time_or_template)] | None = None
    timezone: ZoneName | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        own = {name: schema["properties"][name] for name in ("duration", "delay", "until", "timezone")}
        schema["properties"]["config"] = {
            "type": "object",
            "properties": own,
            "minProperties": 1,
            "deprecated": True,
            "description": "Says the same as its fields beside it.",
        }
        alternatives = [{"required": [name]} for name in ("duration", "delay", "until", "config")]
        schema.setdefault("allOf", []).append({"oneOf": alternatives})
        return schema

    def plan(self, planned: Planned) -> "PlannedTimer":
        """Return the step for the engine, with everything parsed."""
        zone = None if self.timezone is None else parse_zone(self.timezone)
        duration: timedelta | TextTemplate | None = None
        until: datetime | TextTemplate | None = None
        if self.duration is not None:
            duration = parse_template(self.duration) if isinstance(self.duration, str) else self.duration
        if self.until is not None:
            written = self.until
            until = parse_template(written) if "{{" in written else instant_of(parse_time(written), zone)
        return PlannedTimer(**planned.common(), duration=duration, until=until, zone=zone)


@dataclass(frozen=True, slots=True)
class PlannedTimer(Planned):
    """A timer for the engine. One of duration and until is None. until: aware UTC.

    zone: of a rendered time without an offset.
    """

    duration: timedelta | TextTemplate | None
    until: datetime | TextTemplate | None
    zone: ZoneInfo | None

    def due_at(self, scope: Scope, now: datetime) -> datetime:
        """Return the due time, in UTC; `now` is when the step is reached, and a past time is due at once.

        Raises EvaluationFailed: ``timer_invalid`` for a value that is neither a duration nor a time, ``timer_too_long``
        for more than a year, and the template's own errors.
        """
        if self.duration is not None:
            return now + self._waits(scope)
        due_at = self._time(scope)
        if due_at - now > FARTHEST:
            raise EvaluationFailed("timer_too_long", "a timer waits for a year at most")
        return due_at

    def _waits(self, scope: Scope) -> timedelta:
        if isinstance(self.duration, timedelta):
            return self.duration
        value = self.duration.render(scope) if self.duration is not None else None
        try:
            duration = parse_duration(float(value) if isinstance(value, Decimal) else value)
        except ValueError as error:
            raise EvaluationFailed("timer_invalid", f"the duration of a timer: {error}") from None
        if duration > ONE_YEAR:
            raise EvaluationFailed("timer_too_long", "a timer waits for a year (365 days) at most")
        return duration

    def _time(self, scope: Scope) -> datetime:
        if isinstance(self.until, datetime):
            return self.until
        value: JSON = self.until.render(scope) if self.until is not None else None
        if not isinstance(value, str):
            raise EvaluationFailed("timer_invalid", "the time that a timer waits for is a text in ISO 8601")
        try:
            return instant_of(parse_time(value), self.zone)
        except ValueError as error:
            raise EvaluationFailed("timer_invalid", f"the time that a timer waits for: {error}") from None
