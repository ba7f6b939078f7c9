"""JSON from outside, read strictly and within bounds, so that every accepted value can be stored and shown again."""

import json
import math
from typing import Any

from domain.refusal import Malformed, Problem

MAX_DEPTH = 64
LARGEST_INTEGER = 2**63 - 1
SMALLEST_INTEGER = -(2**63)


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
    """Return a problem, below `path`, for every part of the JSON `value` that storage would not keep unchanged."""
    problems: list[Problem] = []
    todo: list[tuple[Any, str, int]] = [(value, path, 0)]
    while todo:
        item, where, depth = todo.pop()
        if depth > MAX_DEPTH:
            problems.append(Problem("too_deep", f"nested deeper than {MAX_DEPTH} levels", where[:200]))
            break
        if isinstance(item, str):
            _check_text(item, where, problems)
        elif isinstance(item, dict):
            for key, inner in item.items():
                _check_text(key, where, problems)
                todo.append((inner, f"{where}.{key}" if where else key, depth + 1))
        elif isinstance(item, list):
            todo.extend((inner, f"{where}[{i}]", depth + 1) for i, inner in enumerate(item))
        elif isinstance(item, float) and not math.isfinite(item):
            problems.append(Problem("number_out_of_range", "numbers are finite", where))
        elif isinstance(item, int) and not SMALLEST_INTEGER <= item <= LARGEST_INTEGER:
            problems.append(Problem("number_out_of_range", "whole numbers fit into 64 bits", where))
    return problems


def _check_text(text: str, where: str, problems: list[Problem]) -> None:
    if "\0" in text:
        problems.append(Problem("nul_character", "text holds NUL, which PostgreSQL cannot keep", where[:200]))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        problems.append(Problem("lone_surrogate", "text holds half of a surrogate pair", where[:200]))


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
