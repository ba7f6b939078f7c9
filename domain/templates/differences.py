"""The differences of two documents of a process, by paths that name steps by their ids."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from domain.jsonvalue import JsonValue

MOST = 500
LONGEST = 2_000
# Items of a list that have one of these are known by it, wherever they stand.
_NAMING = ("id", "name")


class NoValue:
    """There is no value."""


NO_VALUE: Final = NoValue()
Side: TypeAlias = "JsonValue | NoValue"
Label: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that differs. path: its place, as ``steps[review].title``. before, after: as JSON, None for no value."""

    path: str
    before: str | None
    after: str | None


def differences(before: JsonValue, after: JsonValue) -> tuple[ValueDifference, ...]:
    """Return each value that differs, as deep as both sides go, at most 500."""
    return tuple(islice(_differing(before, after, ()), MOST))


def shown(value: Side) -> str | None:
    """Return a value as JSON, cut after 2,000 characters; None for no value."""
    if isinstance(value, NoValue):
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def label(keys: Label) -> str:
    """Return a path; the names of steps stand in brackets."""
    parts = (f"[{key}]" if isinstance(key, int) else key if key.startswith("[") else f".{key[:60]}" for key in keys)
    return "".join(parts).removeprefix(".")


def by_name(value: Side) -> dict[str, JsonValue] | None:
    """Return the items of a list by their ids or names; None if it has items without one, or two of one name."""
    if not isinstance(value, list) or not value:
        return None
    for naming in _NAMING:
        named: dict[str, JsonValue] = {}
        for item in value:
            name = item.get(naming) if isinstance(item, dict) else None
            if isinstance(name, str) and name not in named:
                named[f"[{name}]"] = item
        if len(named) == len(value):
            return named
    return None


def members(*sides: Side) -> list[dict[str, JsonValue]] | None:
    """Return the members of values that are all objects, or all lists of named items; None for any others."""
    found: list[dict[str, JsonValue]] = []
    if all(isinstance(side, dict) for side in sides):
        found = [side for side in sides if isinstance(side, dict)]
        return found
    for side in sides:
        named = by_name(side)
        if named is None:
            return None
        found.append(named)
    return found


def _differing(before: Side, after: Side, keys: Label) -> Iterator[ValueDifference]:
    if not isinstance(before, NoValue) and not isinstance(after, NoValue) and _same(before, after):
        return
    both = members(before, after)
    if both is None or (isinstance(before, list) and list(both[0]) != list(both[1]) and set(both[0]) == set(both[1])):
        # Items in another order only are one difference.
        yield ValueDifference(label(keys), shown(before), shown(after))
        return
    one, other = both
    for key in dict.fromkeys((*one, *other)):
        yield from _differing(one.get(key, NO_VALUE), other.get(key, NO_VALUE), (*keys, key))


def _same(left: JsonValue, right: JsonValue) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
