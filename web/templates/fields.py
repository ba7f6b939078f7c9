"""The form that the parameters of a template make: its controls, and the answers that their texts state."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from domain.jsonvalue import JsonValue, parse_json
from domain.language.expressions import EvaluationFailed, parse_condition
from domain.language.types.parts import ABSENT, Absent
from domain.refusal import Malformed, Problem
from domain.templates.parameters import Parameter
from web.controls import FormControl, problems_at

PREFIX = "parameters."
CURRENCY = ".currency"
USUAL_CURRENCY = "EUR"
SUGGESTED = {"agent": "agents", "process": "processes", "timezone": "zones", "money": "currencies"}
"""The list on the page that holds what a type of parameter picks from."""
HINTS = {
    "number": "a number",
    "integer": "a whole number",
    "array": "a line each, or a list as JSON",
    "object": "an object, as JSON",
    "duration": "a duration, as 30s, 15m, 2d",
    "cron": "a cron expression, as 0 9 * * 1-5",
    "timezone": "a time zone, as Europe/Berlin",
    "agent": "an agent",
    "process": "a process",
    "secret": "the name of a secret, as ${NAME}; never the secret",
}
_NUMBERS = ("number", "integer")


def controls_of(
    parameters: Mapping[str, Parameter],
    given: Mapping[str, str] | None = None,
    problems: Iterable[Problem] = (),
    out: Iterable[str] = (),
) -> list[FormControl]:
    """Return the controls for answers. given: the texts that were sent; default: those of the defaults.

    out: parameters that other answers make superfluous.
    """
    found, superfluous = list(problems), frozenset(out)
    return [_control(name, each, given, found, name in superfluous) for name, each in parameters.items()]


def read_answers(parameters: Mapping[str, Parameter], given: Mapping[str, str]) -> dict[str, JsonValue]:
    """Return the answers that the texts of a form state; a text that is none of its type stands as it is."""
    found: dict[str, JsonValue] = {}
    for name, each in parameters.items():
        text = given.get(f"{PREFIX}{name}", "")
        if text.strip():
            found[name] = _read(each, text, given.get(f"{PREFIX}{name}{CURRENCY}", ""))
    return found


def default_of(parameter: Mapping[str, Any]) -> str:
    """Return the default of a parameter, as its view states it, as text; empty without one."""
    stated = parameter.get("default")
    return "" if stated is None else stated if isinstance(stated, str) else _json(stated)


def left_out(parameters: Mapping[str, Parameter], values: Mapping[str, JsonValue]) -> list[str]:
    """Return the parameters whose `when` does not hold. values: of every parameter."""
    return [name for name, each in parameters.items() if each.when is not None and not _holds(each.when, values)]


def _holds(when: str, values: Mapping[str, JsonValue]) -> bool:
    try:
        return parse_condition(when, ("parameters",)).evaluate({"parameters": values})
    except EvaluationFailed:
        return False


def _control(
    name: str, parameter: Parameter, given: Mapping[str, str] | None, problems: list[Problem], left_out: bool
) -> FormControl:
    key = f"{PREFIX}{name}"
    stated, currency = _stated(parameter)
    text = _text(parameter, stated) if given is None else given.get(key, "")
    currency = currency if given is None else given.get(f"{key}{CURRENCY}", currency)
    return FormControl(
        key,
        parameter.title or name,
        _kind(parameter),
        text,
        _hints(parameter),
        required=parameter.required and parameter.default is ABSENT,
        options=_options(parameter),
        problems=problems_at(key, problems),
        suggested=f"list-{SUGGESTED[parameter.type]}" if parameter.type in SUGGESTED else "",
        currency=currency,
        left_out=left_out,
    )


def _stated(parameter: Parameter) -> "tuple[JsonValue | Absent, str]":
    """Return the default of a parameter, and the currency that stands in its form."""
    stated = parameter.default
    if parameter.type != "money" or stated is ABSENT:
        return stated, USUAL_CURRENCY
    if isinstance(stated, dict):
        return str(stated.get("amount", "")), str(stated.get("currency", USUAL_CURRENCY))
    amount, _, currency = str(stated).strip().partition(" ")
    return amount, currency.strip()


def _kind(parameter: Parameter) -> str:
    if parameter.enum is not None or parameter.type == "boolean":
        return "choice"
    if parameter.type in _NUMBERS:
        return "number"
    return {"string": "text", "array": "text", "object": "json", "money": "money"}.get(parameter.type, "line")


def _hints(parameter: Parameter) -> list[str]:
    hints = [parameter.description.strip().removesuffix(".")] if parameter.description else []
    if parameter.enum is None and parameter.type in HINTS:
        hints.append(HINTS[parameter.type])
    if parameter.minimum is not None or parameter.maximum is not None:
        bounds = (
            f"{parameter.minimum} or more" if parameter.minimum is not None else "",
            f"{parameter.maximum} or less" if parameter.maximum is not None else "",
        )
        hints.append(", ".join(each for each in bounds if each))
    if parameter.required and parameter.default is ABSENT:
        hints.append("required")
    return hints


def _options(parameter: Parameter) -> list[tuple[str, str]]:
    if parameter.enum is None:
        return [("true", "yes"), ("false", "no")] if parameter.type == "boolean" else []
    return [(_json(each), each if isinstance(each, str) else _json(each)) for each in parameter.enum]


def _text(parameter: Parameter, value: "JsonValue | Absent") -> str:
    if value is None or value is ABSENT:
        return ""
    if parameter.type == "array" and isinstance(value, list) and all(_plain(each) for each in value):
        return "\n".join(str(each) for each in value)
    return value if isinstance(value, str) and _kind(parameter) != "choice" else _json(value)


def _plain(value: JsonValue) -> bool:
    """Return whether a value can stand on a line of its own."""
    return isinstance(value, str) and value == value.strip() != "" and "\n" not in value and value[0] != "["


def _read(parameter: Parameter, text: str, currency: str) -> JsonValue:
    if parameter.type == "money":
        return {"amount": text.strip(), "currency": currency.strip().upper()}
    if parameter.type == "array" and not text.lstrip().startswith("["):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if _kind(parameter) in ("choice", "number") or parameter.type in ("array", "object"):
        try:
            value: JsonValue = parse_json(text.encode())
        except Malformed:
            return text
        return value
    return text if _kind(parameter) == "text" else text.strip()


def _json(value: "JsonValue | Absent") -> str:
    return msgspec.json.encode(value).decode()
