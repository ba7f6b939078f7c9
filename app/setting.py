"""One setting: its environment variable, the reader of its text, and its default."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from domain.calendar.durations import parse_duration
from domain.words import labelled

SHORTEST_KEY = 16
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]")

Value = TypeVar("Value")
ReadSetting = Callable[[Any], Value]

_SIZE = re.compile(r"([0-9]{1,15})\s*([a-z]*)", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


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


def setting(
    variable: str, read: ReadSetting[Value], default: Callable[[], Value], *, empty_counts: bool = False
) -> Value:
    """Declare a field of a settings class. read: returns the value of a variable's text, or raises ValueError.

    empty_counts: an empty variable is read too. Default: it counts as unset.
    """
    metadata = {"variable": variable, "read": read, "default": default, "empty_counts": empty_counts}
    declared: Value = dataclasses.field(metadata=metadata)
    return declared


def optional(variable: str, read: ReadSetting[Value], *, empty_counts: bool = False) -> Value | None:
    """Declare a field that is None where `variable` is not set."""
    return setting(variable, read, lambda: None, empty_counts=empty_counts)


def read_fields(kind: type, flags: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of every field of a settings class. Flags precede variables; an empty variable counts as unset,
    unless the field states otherwise.

    Raises ValueError with every variable that cannot be used; the message does not repeat a value.
    """
    given = {name.upper(): value for name, value in environment.items() if value}
    empty = {name.upper() for name, value in environment.items() if not value}
    values: dict[str, Any] = {}
    problems = []
    for field in dataclasses.fields(kind):
        variable, read, default = (field.metadata[name] for name in ("variable", "read", "default"))
        raw = flags[field.name] if flags.get(field.name) is not None else given.get(variable)
        if raw is None and field.metadata["empty_counts"] and variable in empty:
            raw = ""
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


def key(value: str) -> SecretSetting:
    """Return a key without the white space around it. Raises ValueError, which does not repeat it."""
    stripped = value.strip()
    if len(stripped) < SHORTEST_KEY:
        raise ValueError(f"has at least {SHORTEST_KEY} characters, such as `openssl rand -hex 32` prints")
    if not all("!" <= character <= "~" for character in stripped):
        raise ValueError("has ASCII letters, digits and signs only, and no blank: callers send it in a header")
    return SecretSetting(stripped)


def address(value: str) -> str:
    """Return an http or https address of this API without a trailing slash. Raises ValueError."""
    stripped = value.strip()
    try:
        parts = urlsplit(stripped)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise ValueError("it is not an address that starts with http:// or https:// and names a host")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("it holds neither user, password, query nor fragment")
    return stripped.rstrip("/")


def host_names(value: str) -> tuple[str, ...]:
    """Return the hosts that the text lists, separated by commas, in lower case. Raises ValueError."""
    found = tuple(part.strip().lower().removesuffix(".") for part in value.split(",") if part.strip())
    if not found or not all(_HOST.fullmatch(host) for host in found):
        raise ValueError("it lists hosts without ports, separated by commas, such as procession.example,10.0.0.7")
    return found


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


def size(least: int, most: int) -> ReadSetting[int]:
    """Return a reader of sizes in bytes from `least` to `most`, such as ``1MiB``, ``500kB`` or ``65536``."""

    def read(value: str | int) -> int:
        found = _SIZE.fullmatch(str(value).strip())
        if found is None or found[2].lower() not in _UNITS:
            raise ValueError("should be a size in bytes, such as 1MiB, 500kB or 65536")
        number = int(found[1]) * _UNITS[found[2].lower()]
        if not least <= number <= most:
            raise ValueError(f"should be from {least} to {most} bytes")
        return number

    return read


def size_or_none(least: int, most: int) -> ReadSetting[int | None]:
    """Return a reader as `size` does; 0 is None."""
    sized = size(least, most)

    def read(value: str | int) -> int | None:
        return None if str(value).strip() == "0" else sized(value)

    return read


def positive(value: object) -> timedelta:
    """Return a duration above 0 seconds. Raises ValueError."""
    duration = parse_duration(value)
    if not duration:
        raise ValueError("should be greater than 0 seconds")
    return duration


def switch(value: str | bool) -> bool:
    """Return whether the text is ``on``; the other one is ``off``. Raises ValueError."""
    words = {"on": True, "off": False}
    if str(value).lower() not in words:
        raise ValueError("should be on or off")
    return words[str(value).lower()]


def path(value: str) -> Path:
    """Return the path that the text names."""
    return Path(value)
