"""References such as `steps.review.output.items[0]`: their form and their resolution."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from domain.language.expressions.json_text import json_object_in
from domain.language.expressions.problems import EvaluationFailed
from domain.language.expressions.values import Run, Scope, budget_of, kind_of, unreadable
from domain.large_results import is_reference

ROOTS = ("input", "steps", "execution", "process", "trigger")

_NAME = re.compile(r"[^\W\d]\w*(?:-+\w+)*")
_ABSENT: Final = object()
_KEYS_COMPARED = 200
_KEYS_SHOWN = 8
_LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Path:
    """A static reference: the root, then keys (str) and indexes (int, from 0).

    offset, end: where it starts in its text, and where it ends. caught: a `default` or `||` replaces it if it leads
    nowhere, or it is what replaces the output of another step.
    """

    parts: tuple[str | int, ...]
    offset: int
    end: int = field(default=0, compare=False)
    caught: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return written(self.parts)


class Missing(Exception):
    """Raised in evaluation when a path does not resolve; explained only if nothing catches it, because that is slow."""

    def __init__(self, path: Path, at: int, holder: object) -> None:
        super().__init__(path, at)
        self.path = path
        self.at = at
        self.holder = holder

    def explained(self) -> EvaluationFailed:
        """Return the failure to report: it names the path up to the missing part, and the nearest match."""
        part = self.path.parts[self.at]
        name = written(self.path.parts[: self.at + 1])
        holder = written(self.path.parts[: self.at])
        reason, hint = _reason(self.holder, part, holder)
        return EvaluationFailed("unknown_path", f"{name} is unknown: {reason}", self.path.offset, hint)


def reader(path: Path) -> Run:
    """Return a function that resolves the path in a scope, or raises `Missing`."""
    parts = path.parts

    def read(scope: Scope) -> object:
        # Keys alone need no type check: text and lists refuse a key with TypeError.
        value: Any = scope
        try:
            for part in parts:
                value = value[part]
        except (KeyError, TypeError):
            return _walk(path, scope)
        return value

    def read_carefully(scope: Scope) -> object:
        return _walk(path, scope)

    return read_carefully if any(isinstance(part, int) for part in parts) else read


def nearest(word: str, known: Iterable[object]) -> str | None:
    """Return the known word most like this one, if there is one."""
    words = [key for key in islice(known, _KEYS_COMPARED) if isinstance(key, str) and len(key) <= _LONGEST_KEY]
    found = difflib.get_close_matches(word[:_LONGEST_KEY], words, n=1)
    return found[0] if found else None


def written(parts: tuple[str | int, ...]) -> str:
    """Return a path as it is written in an expression."""
    pieces = []
    for part in parts:
        if isinstance(part, int) or not _NAME.fullmatch(part):
            pieces.append(f"[{part!r}]")
        else:
            pieces.append(f".{part}")
    return "".join(pieces).removeprefix(".")


def _walk(path: Path, scope: Scope) -> object:
    value: object = scope
    for at, part in enumerate(path.parts):
        found = _inside(value, part, scope, path.offset)
        if found is _ABSENT:
            raise Missing(path, at, value)
        value = found
    return value


def _inside(value: object, part: str | int, scope: Scope, offset: int) -> object:
    if isinstance(part, int):
        return value[part] if isinstance(value, (list, tuple)) and part < len(value) else _ABSENT
    if isinstance(value, str):
        value = budget_of(scope).object_in(value, offset)
    if not isinstance(value, Mapping):
        return _ABSENT
    if is_reference(value):
        raise unreadable(offset)
    try:
        found: object = value[part]
    except KeyError:
        return _ABSENT
    return found


def _reason(holder: object, part: str | int, name: str) -> tuple[str, str | None]:
    if isinstance(holder, str) and isinstance(part, str):
        decoded = json_object_in(holder)
        if decoded is None:
            return f"{name} is text that holds no JSON object", None
        holder = decoded
    if isinstance(holder, Mapping) and isinstance(part, str):
        return f"{name or 'this place'} has no {part[:_LONGEST_KEY]!r}", _key_hint(holder, part)
    if isinstance(holder, (list, tuple)):
        if isinstance(part, int):
            return f"{name} has {len(holder)} items, counted from 0", None
        return f"{name} is a list", "pick an item with [0], or use first or last"
    return f"{name} is {kind_of(holder)}", None


def _key_hint(holder: Mapping[Any, object], part: str) -> str | None:
    match = nearest(part, holder)
    if match is not None:
        return f"did you mean {match!r}?"
    if "-" in part and part.split("-", 1)[0] in holder:
        return "subtraction needs spaces around -"
    shown = [str(key)[:_LONGEST_KEY] for key in islice(holder, _KEYS_SHOWN)]
    return f"it has {', '.join(map(repr, shown))}" if shown else "it is empty"
