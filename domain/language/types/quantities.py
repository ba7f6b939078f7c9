"""Durations and money in a definition: read from the accepted forms, kept exactly."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.calendar.durations import parse_duration
from domain.language.types.parts import Part
from domain.money import Money, parse_money

ONE_YEAR = timedelta(days=365)
CURRENCY_CODE = r"^[A-Z]{3}$"

_DURATION = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "number", "minimum": 0}]}


def _duration(value: Any) -> timedelta:
    try:
        duration = parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_duration", "{reason}", {"reason": str(error)}) from None
    if duration > ONE_YEAR:
        raise PydanticCustomError("duration_too_long", "this is longer than a year (365 days)")
    return duration


def _positive(duration: timedelta) -> timedelta:
    if not duration:
        raise PydanticCustomError("invalid_duration", "this has to be longer than nothing")
    return duration


def _duration_or_template(value: Any) -> timedelta | str:
    return value if isinstance(value, str) and "{{" in value else _duration(value)


def _amount(text: str) -> str:
    try:
        money = parse_money(text, "USD")
    except ValueError as error:
        raise PydanticCustomError("invalid_amount", "{reason}", {"reason": str(error)}) from None
    if money.amount < 0:
        raise PydanticCustomError("invalid_amount", "an amount here is not negative")
    return text


# At most a year; `Delay` may be zero, `Duration` may not.
Delay = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(_DURATION)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive), WithJsonSchema(_DURATION)]
# Text is a template; a constant is a duration already.
DelayOrTemplate = Annotated[timedelta | str, BeforeValidator(_duration_or_template), WithJsonSchema(_DURATION)]

# A decimal that is not negative.
AmountText = Annotated[str, AfterValidator(_amount)]


class MoneyLimit(Part):
    """An amount of money: a decimal, kept as written, and its ISO 4217 currency."""

    as_written: ClassVar[tuple[str, ...]] = ("amount",)

    amount: AmountText
    currency: Annotated[str, StringConstraints(pattern=CURRENCY_CODE)]

    @property
    def money(self) -> Money:
        """The same for arithmetic."""
        return parse_money(self.amount, self.currency)
