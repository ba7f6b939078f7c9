"""Durations and money in a definition: read from the accepted forms, kept exactly."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, GetJsonSchemaHandler, StringConstraints, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from domain.calendar.durations import parse_duration
from domain.language.types.parts import Part
from domain.money import Money, parse_money

ONE_YEAR = timedelta(days=365)
CURRENCY_CODE = r"^[A-Z]{3}$"

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,9})?"
_LENGTH = rf"^\s*(?:(?:{_NUMBER}(?:d|h|ms|m|s)\s*)+|P[0-9.WDTHMS]+|{_NUMBER})\s*$"
_DELAY = {"anyOf": [{"type": "string", "pattern": _LENGTH}, {"type": "number", "minimum": 0}]}
_DURATION = {"anyOf": [{"type": "string", "pattern": _LENGTH}, {"type": "number", "exclusiveMinimum": 0}]}
_DELAY_OR_TEMPLATE = {"anyOf": [*_DELAY["anyOf"], {"type": "string", "pattern": r"\{\{"}]}
# Decimals, as Python reads them.
_AMOUNT = r"^\s*[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?\s*$"


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
Delay = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(_DELAY)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive), WithJsonSchema(_DURATION)]
# Text is a template; a constant is a duration already.
DelayOrTemplate = Annotated[timedelta | str, BeforeValidator(_duration_or_template), WithJsonSchema(_DELAY_OR_TEMPLATE)]

# A decimal that is not negative.
AmountText = Annotated[str, AfterValidator(_amount)]


class MoneyLimit(Part):
    """An amount of money: a decimal, kept as written, and its ISO 4217 currency."""

    as_written: ClassVar[tuple[str, ...]] = ("amount",)

    amount: AmountText
    currency: Annotated[str, StringConstraints(pattern=CURRENCY_CODE)]

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        number = {"type": "number", "minimum": 0}
        schema["properties"]["amount"]["anyOf"] = [{"type": "string", "pattern": _AMOUNT}, number]
        return schema

    @property
    def money(self) -> Money:
        """The same for arithmetic."""
        return parse_money(self.amount, self.currency)
