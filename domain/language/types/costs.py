"""The cost limits of a process: amounts for one execution, a day and a week, as written in a definition."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from domain.calendar.times import WeekdayOfStart, ZoneName
from domain.language.types.parts import Part
from domain.language.types.quantities import AmountText, MoneyLimit
from domain.money import Money, scale

MAX_LEVELS = 20
SPANS = ("per_execution", "daily", "weekly")
CANCEL = "cancel_execution"
OnAlert = Literal["pause_schedules", "cancel_execution"]


def _not_nothing(amount: str) -> str:
    if not Decimal(amount):
        raise PydanticCustomError("invalid_amount", "an amount here is more than nothing")
    return amount


class CostLevel(MoneyLimit):
    """An amount that costs are not to exceed. warn_at: fraction of it at which there is a warning, None without one.

    on_alert: the act at the alert. Default: none.
    """

    amount: Annotated[AmountText, AfterValidator(_not_nothing)]
    warn_at: Annotated[float, Field(gt=0, le=1)] | None = None
    on_alert: OnAlert | None = None

    @property
    def warns_at(self) -> Money | None:
        """The amount at which there is a warning, exactly."""
        if self.warn_at is None:
            return None
        return Money(scale(self.money.amount, Decimal(repr(self.warn_at))), self.currency)


Levels = Annotated[tuple[CostLevel, ...], Field(strict=False, min_length=1, max_length=MAX_LEVELS)]


class Costs(Part):
    """Cost limits: the levels of each span rise and are in one currency.

    timezone: its midnight begins a day and a week.
    """

    per_execution: Levels | None = None
    daily: Levels | None = None
    weekly: Levels | None = None
    timezone: ZoneName = "UTC"
    week_starts: WeekdayOfStart = "monday"

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        for span in SPANS:
            several: dict[str, Any] = schema["properties"][span]
            one = next(each["items"] for each in several["anyOf"] if "items" in each)
            several["anyOf"].insert(0, one)
        return schema
