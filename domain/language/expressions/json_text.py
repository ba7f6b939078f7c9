"""MiB. The fence may be labelled `json`."""

import re
from typing import Any

import msgspec

# Possessive, so that a hostile line of blanks costs linear and not quadratic time.
_FENCE = re.compile(r"^[ \t]*+```[ \t]*+(\w*+)[ \t]*+\r?$", re.MULTILINE)
_LONGEST = 1 << 20  # characters


def json_object_in(text: str) -> dict[str, Any] | None:
    """Return the object of a text that is one JSON object, alone or in its only fenced block; None when there is none.

    Text may stand around the fence, but two fenced blocks are ambiguous and give None, as does a text of more than
    """
    if len(text) > _LONGEST:
        return None
    stripped = text.strip()
    if stripped.startswith("{"):
        return _decoded(stripped)
    if "```" not in stripped:
        return None
    if stripped.startswith("```") and stripped.endswith("```"):
        inside = stripped[3:-3]
        return _decoded(inside[4:] if inside[:4].lower() == "json" else inside)
    fences = list(_FENCE.finditer(stripped))
    if len(fences) != 2 or fences[0].group(1).lower() not in ("", "json") or fences[1].group(1):
        return None
    return _decoded(stripped[fences[0].end() : fences[1].start()])


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
