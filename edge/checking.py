"""The check of a body against the class that declares it: it reports every problem at once."""

import functools
import itertools
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, get_origin

import msgspec

from commands.command import MAX_TEXT
from domain.refusal import Problem
from domain.words import labelled
from edge.declared import Declared, Read, body_fields
from edge.instants import parse_instant
from edge.refusals import malformed, unknown_key

MOST_PROBLEMS = 100
MOST_TEXTS = 200

Noting = Callable[[str, str], None]
"""Notes a problem of one field: its code and its message."""


def check_fields(declaring: type[msgspec.Struct], value: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return the fields that `value`, the JSON object in `body`, holds of `declaring`. Raises Malformed."""
    problems: list[Problem] = []
    found = _check(declaring, value, body, "", problems)
    if problems:
        raise malformed(problems[:MOST_PROBLEMS])
    return found


def _check(
    declaring: type[msgspec.Struct], value: dict[str, Any], body: bytes, path: str, problems: list[Problem]
) -> dict[str, Any]:
    if not value.keys() <= (known := _names(declaring)).keys():
        unknown = (name for name in value if name not in known)
        problems += [unknown_key(name, known, path) for name in itertools.islice(unknown, MOST_PROBLEMS)]
    found = {}
    for field in body_fields(declaring):
        checked = _field(field, value, body, path, problems)
        if checked is not None or (field.kind is Any and field.name in value):
            found[field.name] = checked
    return found


@functools.cache
def _names(declaring: type[msgspec.Struct]) -> dict[str, None]:
    return dict.fromkeys(field.name for field in body_fields(declaring))


def _field(field: Declared, value: dict[str, Any], body: bytes, path: str, problems: list[Problem]) -> Any:
    """Return the checked value of `field`; None, with its problems noted, where there is none."""
    name = field.name

    def note(code: str, message: str) -> None:
        problems.append(Problem(code, message, f"{path}{name}"))

    given = value.get(name)
    # A flag is never null; null is a value of a field that takes any value.
    if given is None and (name not in value or field.kind not in (Any, bool)):
        if field.required:
            note("missing", f"{name} is missing")
            if field.is_object:
                _check(field.kind, {}, body, f"{path}{name}.", problems)
        return None
    if field.read is not None:
        return _read(field.read, field, given, body, note)
    if field.kind is Any:
        return given
    if (check := CHECKS.get(get_origin(field.kind) or field.kind)) is not None:
        return check(field, given, note)
    if field.is_object:
        inner = given if isinstance(given, dict) else {}
        if inner is not given:
            note("wrong_type", f"{name} is an object")
        before = len(problems)
        checked = _check(field.kind, inner, body, f"{path}{name}.", problems)
        return field.kind(**checked) if len(problems) == before else None
    raise TypeError(f"a body cannot declare {name} as {field.hint}")


def _read(mark: Read, field: Declared, given: Any, body: bytes, note: Noting) -> Any:
    if field.kind is not Any and not isinstance(given, dict):
        note("wrong_type", f"{field.name} is an object")
        return None
    try:
        return mark.read(given, body)
    except ValueError as error:
        note("invalid_value", str(error))
        return None


def _text(field: Declared, given: Any, note: Noting) -> str | None:
    if not isinstance(given, str):
        note("wrong_type", f"{field.name} is a text")
        return None
    limits = field.limits
    longest = limits.max_length or MAX_TEXT
    if len(given) > longest or "\0" in given:
        note("invalid_value", f"{field.name} is a text of at most {longest} characters without NUL")
    elif limits.pattern is not None and not re.fullmatch(limits.pattern, given):
        form = limits.pattern.removeprefix("^").removesuffix("$")
        note("invalid_value", f"{field.name} has the form {form}")
    elif limits.min_length and not given.strip():
        note("missing", f"{field.name} {(limits.extra or {}).get('blank', 'is blank')}")
    else:
        return given
    return None


def _whole(field: Declared, given: Any, note: Noting) -> int | None:
    if not isinstance(given, int) or isinstance(given, bool):
        note("wrong_type", f"{field.name} is a whole number")
        return None
    lowest, highest = field.limits.ge, field.limits.le
    if (lowest is not None and given < lowest) or (highest is not None and given > highest):
        note("invalid_value", f"{field.name} is between {lowest} and {highest}")
        return None
    return given


def _flag(field: Declared, given: Any, note: Noting) -> bool | None:
    if isinstance(given, bool):
        return given
    note("wrong_type", f"{field.name} is true or false")
    return None


def _instant(field: Declared, given: Any, note: Noting) -> datetime | None:
    text = _text(field, given, note)
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        note("invalid_value", labelled(field.name, str(error)))
        return None


def _mapping(field: Declared, given: Any, note: Noting) -> dict[str, Any] | None:
    if isinstance(given, dict):
        return given
    note("wrong_type", f"{field.name} is an object")
    return None


def _texts(field: Declared, given: Any, note: Noting) -> list[str] | None:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        note("wrong_type", f"{field.name} is a list of texts")
        return None
    most = field.limits.max_length or MOST_TEXTS
    if len(given) > most or any(len(each) > MAX_TEXT or "\0" in each for each in given):
        note("invalid_value", f"{field.name} has at most {most} texts of at most {MAX_TEXT} characters without NUL")
        return None
    return given


CHECKS: dict[Any, Callable[[Declared, Any, Noting], Any]] = {
    str: _text,
    int: _whole,
    bool: _flag,
    datetime: _instant,
    dict: _mapping,
    list: _texts,
}
"""The check of each type of a field; a body cannot declare a type that is not here."""
