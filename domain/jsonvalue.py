"""JSON from outside, read strictly and within bounds, so that every accepted value can be stored and shown again."""

import json
import math
import re
from itertools import chain
from typing import Any, TypeAlias

from domain.refusal import Malformed, Problem

MAX_DEPTH = 64
LARGEST_INTEGER = 2**63 - 1
SMALLEST_INTEGER = -(2**63)
MOST_PROBLEMS = 100
_LONGEST_PATH = 500
_HALF = re.compile("[\ud800-\udfff]")
_KINDS = {str, int, float, bool, list, dict, type(None)}
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
# A place in a value: the place that holds it, and its key or index there.
_Place: TypeAlias = "tuple[_Place | None, str | int]"


class _Repeated(ValueError):
    """A key stands twice in one object."""


def parse_json(data: bytes) -> Any:
    """Return the value that the UTF-8 text `data` holds.

    Raises Malformed with one located Problem: not UTF-8, not JSON, a key twice in one object, numbers out of range, too
    deep.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("not_utf8", f"byte {error.start} is not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        problem = Problem("json_syntax", f"not JSON: {error.msg}", line=error.lineno, column=error.colno)
        raise Malformed(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}", [problem]) from None
    except _Repeated as error:
        raise _malformed("duplicate_key", str(error)) from None
    except RecursionError:
        raise _malformed("too_deep", f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise _malformed("number_out_of_range", str(error).partition(":")[0] or "a number is out of range") from None
    check_storable(value)
    return value


def check_storable(value: Any, path: str = "") -> None:
    """Raise Malformed if parts of `value` cannot be stored: numbers out of range, odd characters, too deep."""
    problems = storable_problems(value, path)
    if problems:
        raise Malformed(problems[0].message, problems)


def storable_problems(value: Any, path: str = "") -> list[Problem]:
    """Return a problem, below `path`, for every part of the JSON `value` that storage would not keep unchanged; at most
    MOST_PROBLEMS.
    """
    if _is_storable(value):
        return []
    problems: list[Problem] = []
    todo: list[tuple[Any, _Place | None, int]] = [(value, None, 0)]
    while todo and len(problems) < MOST_PROBLEMS:
        item, place, depth = todo.pop()
        if depth > MAX_DEPTH:
            problems.append(_problem("too_deep", f"nested deeper than {MAX_DEPTH} levels", path, place))
            break
        if isinstance(item, str):
            _check_text(item, path, place, problems)
        elif isinstance(item, dict):
            for key, inner in item.items():
                _check_text(key, path, place, problems)
                if depth >= MAX_DEPTH or not _is_plain(inner):
                    todo.append((inner, (place, key), depth + 1))
        elif isinstance(item, list):
            for at, inner in enumerate(item):
                if depth >= MAX_DEPTH or not _is_plain(inner):
                    todo.append((inner, (place, at), depth + 1))
        elif isinstance(item, float) and not math.isfinite(item):
            problems.append(_problem("number_out_of_range", "numbers are finite", path, place))
        elif isinstance(item, int) and not SMALLEST_INTEGER <= item <= LARGEST_INTEGER:
            problems.append(_problem("number_out_of_range", "whole numbers fit into 64 bits", path, place))
    return problems[:MOST_PROBLEMS]


def _is_plain(item: Any) -> bool:
    """Return whether an item is well, has nothing inside, and needs no place of its own."""
    kind = type(item)
    if kind is str:
        return "\0" not in item and bool(item.isascii())
    if kind is int:
        return bool(SMALLEST_INTEGER <= item <= LARGEST_INTEGER)
    return item is None or kind is bool or ((kind is list or kind is dict) and not item)


def _is_storable(value: Any) -> bool:
    """Return whether storage keeps `value` unchanged: level by level, in a tenth of the time that places take."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))
        texts = [each for each in level if type(each) is str] if str in kinds else []
        inner: list[Any] = []
        if list in kinds:
            inner.extend(chain.from_iterable(each for each in level if type(each) is list))
        if dict in kinds:
            objects = [each for each in level if type(each) is dict]
            texts.extend(chain.from_iterable(objects))
            inner.extend(chain.from_iterable(each.values() for each in objects))
        if not kinds <= _KINDS or not _fit(texts):
            return False
        if int in kinds:
            whole = [each for each in level if type(each) is int]
            if min(whole) < SMALLEST_INTEGER or max(whole) > LARGEST_INTEGER:
                return False
        if float in kinds and not all(math.isfinite(each) for each in level if type(each) is float):
            return False
        if not inner:
            return True
        level = inner
    return False


def _fit(texts: list[str]) -> bool:
    joined = "".join(texts)
    return "\0" not in joined and (joined.isascii() or not _HALF.search(joined))


def _check_text(text: str, path: str, place: "_Place | None", problems: list[Problem]) -> None:
    if len(problems) >= MOST_PROBLEMS:
        return
    if "\0" in text:
        problems.append(_problem("nul_character", "text holds NUL, which PostgreSQL cannot keep", path, place))
    if not text.isascii() and _HALF.search(text):
        problems.append(_problem("lone_surrogate", "text holds half of a surrogate pair", path, place))


def _problem(code: str, message: str, path: str, place: "_Place | None") -> Problem:
    """Return the problem, with its path: only a problem needs the text of one, and keys may be long."""
    parts: list[str] = []
    while place is not None:
        place, key = place
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key[:_LONGEST_PATH]}")
    written = path + "".join(reversed(parts))
    return Problem(code, message, written.removeprefix(".")[:_LONGEST_PATH])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(f"the key {key[:60]!r} stands twice in one object")
            seen.add(key)
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _malformed(code: str, message: str) -> Malformed:
    return Malformed(message, [Problem(code, message)])
