"""Bounds of the patterns in a JSON Schema: those with lookaround or back-references take time that grows with the
square of a text, so that they are tried on short texts only.
"""

import re
from functools import lru_cache
from typing import Any

import jsonschema_rs

LONGEST_TRIED = 5_000
PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=20_000, size_limit=1 << 20, dfa_size_limit=1 << 20)
_LINEAR = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
_OLD = re.compile(r"draft-0[346]")
# Keywords whose values are data, not schemas.
_DATA = frozenset(("const", "default", "enum", "example", "examples"))
# Keywords whose values hold schemas by name.
_NAMED = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"))


def bounded(document: Any, *, named: bool = False) -> Any:
    """Return the schema with each slow pattern in `pattern` limited to texts of at most LONGEST_TRIED characters.

    A longer text does not match. named: the keys of `document` are names, such as those of properties.
    """
    if isinstance(document, list):
        return [bounded(item) for item in document]
    if not isinstance(document, dict):
        return document
    changed = {
        key: value if key in _DATA and not named else bounded(value, named=key in _NAMED and not named)
        for key, value in document.items()
    }
    pattern = changed.get("pattern")
    if isinstance(pattern, str) and not named and not _is_linear(pattern):
        del changed["pattern"]
        short = {"if": {"maxLength": LONGEST_TRIED}, "then": {"pattern": pattern}, "else": {"maxLength": LONGEST_TRIED}}
        whole = changed.get("allOf")
        changed["allOf"] = [short, *(whole if isinstance(whole, list) else ())]
    return changed


def has_unbounded(document: Any) -> bool:
    """Return whether a slow pattern applies to the names of members, or stands in a draft without `if`."""
    if isinstance(document, dict) and _OLD.search(str(document.get("$schema"))) and bounded(document) != document:
        return True
    todo = [document]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo.extend(part)
        elif isinstance(part, dict):
            todo.extend(part.values())
            patterns = part.get("patternProperties")
            if isinstance(patterns, dict) and not all(map(_is_linear, patterns)):
                return True
    return False


def longest_text(value: Any) -> int:
    """Return the length of the longest text or name of a member in a JSON value."""
    longest = 0
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            longest = max(longest, len(part))
        elif isinstance(part, list):
            todo.extend(part)
        elif isinstance(part, dict):
            longest = max(longest, max(map(len, part), default=0))
            todo.extend(part.values())
    return longest


def more_values_than(value: Any, most: int) -> bool:
    """Return whether a JSON value holds more than `most` values."""
    todo = [value]
    while todo:
        most -= 1
        if most < 0:
            return True
        part = todo.pop()
        if isinstance(part, list | dict):
            if len(part) > most:
                return True
            todo.extend(part if isinstance(part, list) else part.values())
    return False


@lru_cache(maxsize=512)
def _is_linear(pattern: str) -> bool:
    """Return whether the pattern compiles for the engine that takes linear time."""
    try:
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=_LINEAR, offline=True)
    except ValueError:
        return False
    return True
