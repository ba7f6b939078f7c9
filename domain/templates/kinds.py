"""The types of parameters: which values each accepts, and the form in which a value is kept."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from pydantic_core import PydanticCustomError

from domain.agents.secret_names import REFERENCE, is_own
from domain.calendar.cron import InvalidCron, parse_cron
from domain.calendar.durations import parse_duration
from domain.calendar.times import check_zone
from domain.calendar.zones import zone_objection
from domain.identity import AGENT_NAME, PROCESS_NAME
from domain.jsonvalue import JsonValue
from domain.language.types.inputs import is_of_type, kind_of
from domain.language.types.quantities import ONE_YEAR
from domain.money import parse_money

JSON_TYPES = ("string", "number", "integer", "boolean", "array", "object")


class WrongValue(ValueError):
    """A value that is none of a type; the message gives the reason for people."""

    def __init__(self, message: str, code: str = "wrong_type") -> None:
        super().__init__(message)
        self.code = code


def value_of(kind: str, value: JsonValue) -> JsonValue:
    """Return a value in the form in which it is kept. Raises WrongValue if it is none of the type."""
    if kind in JSON_TYPES:
        if not is_of_type(value, kind):
            article = "an" if kind[0] in "aio" else "a"
            raise WrongValue(f"this is {article} {kind}, not {kind_of(value)}")
        return value
    read = _READERS.get(kind)
    return value if read is None else read(value)


def size_of(kind: str, value: JsonValue) -> Decimal | timedelta | None:
    """Return the measure that `minimum` and `maximum` bound; None for a type without one."""
    match value:
        case bool() | None:
            return None
        case int() | float() if kind != "duration":
            return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case dict() if kind == "money":
            return Decimal(str(value["amount"]))
        case _ if kind == "duration":
            return parse_duration(value)
        case str() | list() | dict():
            return Decimal(len(value))
    return None


def bound_of(kind: str, bound: JsonValue) -> Decimal | timedelta:
    """Return a bound in the measure of a type. Raises ValueError if it is none."""
    if kind == "duration":
        return parse_duration(bound)
    if kind == "money" and isinstance(bound, str):
        return parse_money(bound, "USD").amount
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise ValueError("a bound is a number")
    return Decimal(repr(bound)) if isinstance(bound, float) else Decimal(bound)


def _text(value: JsonValue, what: str) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"{what}, not {kind_of(value)}")
    return value


def _duration(value: JsonValue) -> JsonValue:
    try:
        duration = parse_duration(value)
    except ValueError as error:
        raise WrongValue(str(error), "invalid_duration") from None
    if duration > ONE_YEAR:
        raise WrongValue("this is longer than a year (365 days)", "duration_too_long")
    return value


def _cron(value: JsonValue) -> JsonValue:
    try:
        parse_cron(_text(value, "a cron expression is text"))
    except InvalidCron as error:
        raise WrongValue(str(error), error.code) from None
    return value


def _timezone(value: JsonValue) -> JsonValue:
    name = _text(value, "a time zone is text, as Europe/Berlin")
    try:
        check_zone(name)
    except PydanticCustomError as error:
        raise WrongValue(error.message(), "unknown_timezone") from None
    if objection := zone_objection(name):
        raise WrongValue(objection, "unknown_timezone")
    return value


def _agent(value: JsonValue) -> JsonValue:
    if not AGENT_NAME.fullmatch(_text(value, "an agent is given by its name")):
        raise WrongValue("an agent's name has lower-case letters, digits, `.`, `_` and `-`", "invalid_name")
    return value


def _process(value: JsonValue) -> JsonValue:
    if not _PROCESS.fullmatch(_text(value, "a process is given by its name")):
        raise WrongValue("a process's name has lower-case letters, digits, `.`, `_` and `-`", "invalid_name")
    return value


def _secret(value: JsonValue) -> JsonValue:
    """Return a reference; the message never repeats what may be the secret itself."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        message = "a secret is given as a reference to an environment variable, ${NAME}, never as itself"
        raise WrongValue(message, "secret_not_a_reference")
    if is_own(found[1]):
        raise WrongValue(f"the setting {found[1]} is the platform's own", "secret_reserved")
    return value


def _money(value: JsonValue) -> JsonValue:
    """Return ``{amount, currency}``; also reads ``5.00 USD``."""
    if isinstance(value, str):
        amount, _, currency = value.strip().partition(" ")
        value = {"amount": amount, "currency": currency.strip()}
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise WrongValue('money is `{amount: "5.00", currency: USD}`, or "5.00 USD"', "invalid_amount")
    try:
        money = parse_money(value["amount"], value["currency"])
    except ValueError as error:
        raise WrongValue(str(error), "invalid_amount") from None
    if money.amount < 0:
        raise WrongValue("an amount here is not negative", "invalid_amount")
    return {"amount": str(value["amount"]), "currency": money.currency}


_PROCESS = re.compile(PROCESS_NAME.removeprefix("^").removesuffix("$"))
_READERS: dict[str, Callable[[JsonValue], JsonValue]] = {
    "duration": _duration,
    "cron": _cron,
    "timezone": _timezone,
    "agent": _agent,
    "process": _process,
    "secret": _secret,
    "money": _money,
}
