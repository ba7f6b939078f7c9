"""One setting: its environment variable, the reader of its text, and its default."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from domain.calendar.durations import parse_duration
from domain.words import labelled

Value = TypeVar("Value")
ReadSetting = Callable[[Any], Value]


class SecretSetting:
    """A text that does not show when printed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('**********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretSetting) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def setting(variable: str, read: ReadSetting[Value], default: Callable[[], Value]) -> Value:
    """Declare a field of a settings class. read: returns the value of a variable's text, or raises ValueError."""
    declared: Value = dataclasses.field(metadata={"variable": variable, "read": read, "default": default})
    return declared


def optional(variable: str, read: ReadSetting[Value]) -> Value | None:
    """Declare a field that is None where `variable` is not set."""
    return setting(variable, read, lambda: None)


def read_fields(kind: type, flags: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of every field of a settings class. Flags precede variables; an empty variable counts as unset.

    Raises ValueError with every variable that cannot be used; the message does not repeat a value.
    """
    given = {name.upper(): value for name, value in environment.items() if value}
    values: dict[str, Any] = {}
    problems = []
    for field in dataclasses.fields(kind):
        variable, read, default = (field.metadata[name] for name in ("variable", "read", "default"))
        raw = flags[field.name] if flags.get(field.name) is not None else given.get(variable)
        try:
            values[field.name] = default() if raw is None else read(raw)
        except ValueError as error:
            problems.append(labelled(variable, str(error)))
    if problems:
        raise ValueError("; ".join(problems))
    return values


def text(value: str) -> str:
    """Return the text as it is."""
    return value


def whole(least: int, most: int | None = None) -> ReadSetting[int]:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(value: str | int) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("should be a valid integer, unable to parse string as an integer") from None
        if number < least:
            raise ValueError(f"should be greater than or equal to {least}")
        if most is not None and number > most:
            raise ValueError(f"should be less than or equal to {most}")
        return number

    return read


def positive(value: object) -> timedelta:
    """Return a duration above 0 seconds. Raises ValueError."""
    duration = parse_duration(value)
    if not duration:
        raise ValueError("should be greater than 0 seconds")
    return duration


def path(value: str) -> Path:
    """Return the path that the text names."""
    return Path(value)
