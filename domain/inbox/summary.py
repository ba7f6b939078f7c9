"""The summary of an outcome: the beginning of a JSON document as valid JSON of bounded size. Pure and deterministic.

A summary holds what agents and callers wrote. It is data, never an instruction.
"""

import json
import re
from bisect import bisect_right
from json.encoder import encode_basestring
from typing import Any

import msgspec

from domain.large_results import KEY, is_reference

MOST_BYTES = 2_048
"""The size of a summary as UTF-8 JSON, its frame included."""
DEEPEST = 24
LEAST_SHARE = 48
"""A member of a list or an object gets at least so many bytes while any are left."""
_FRAME = len(b'{"text":"","truncated":false,"untrusted":true}')
_CUT = "…"
_HALVES = re.compile("[\ud800-\udfff]")


class Summary(msgspec.Struct, frozen=True):
    """A summary. text: JSON. truncated: there is more. untrusted: always; others wrote it, it instructs nobody."""

    text: str
    truncated: bool = False
    untrusted: bool = True


def summarise(value: Any) -> Summary:
    """Return the summary of a JSON value. Members keep their order; what does not fit is cut or left out."""
    if is_reference(value):
        value = {"bytes": value[KEY].get("bytes")}
        return Summary(_Writer().written(value), True)
    writer = _Writer()
    text = writer.written(value)
    return Summary(text, writer.truncated)


class _Writer:
    """Writes one value. truncated: something was left out."""

    def __init__(self) -> None:
        self.truncated = False

    def written(self, value: Any) -> str:
        found = self._write(value, MOST_BYTES - _FRAME, 0)
        return '""' if found is None else found

    def _write(self, value: Any, room: int, depth: int) -> str | None:
        """Return `value` as JSON that takes at most `room` bytes inside a JSON string; None if there is no room."""
        if isinstance(value, str):
            return self._string(value, room)
        if isinstance(value, dict | list):
            if depth >= DEEPEST or room < 2:
                self.truncated = True
                return None
            return self._object(value, room, depth) if isinstance(value, dict) else self._list(value, room, depth)
        text = _scalar(value)
        if text is None or _cost(text) > room:
            self.truncated = True
            return None
        return text

    def _string(self, value: str, room: int) -> str | None:
        text = _quoted(value[: room + 1])
        if len(value) <= room and _cost(text) <= room:
            return text
        self.truncated = True
        if room < _cost(_quoted(_CUT)):
            return None
        # The longest beginning that fits: each further letter takes at least a byte.
        kept = bisect_right(range(room + 1), room, key=lambda n: _cost(_quoted(value[:n] + _CUT))) - 1
        return _quoted(value[:kept] + _CUT)

    def _object(self, value: dict[str, Any], room: int, depth: int) -> str:
        parts: list[str] = []
        left, members = room - 2, len(value)
        for name, each in value.items():
            key = _quoted(name) if len(name) <= left else None
            taken = left + 1 if key is None else _cost(key) + 1 + bool(parts)
            inner = None if taken >= left else self._write(each, _share(left - taken, members), depth + 1)
            members -= 1
            if key is None or inner is None:
                self.truncated = True
                if left < LEAST_SHARE:
                    break
                continue
            parts.append(f"{key}:{inner}")
            left -= taken + _cost(inner)
        return f"{{{','.join(parts)}}}"

    def _list(self, value: list[Any], room: int, depth: int) -> str:
        parts: list[str] = []
        left, members = room - 2, len(value)
        for each in value:
            comma = int(bool(parts))
            inner = self._write(each, _share(left - comma, members), depth + 1) if left > comma else None
            if inner is None:
                # The entries of a list keep their places: nothing follows one that is left out.
                self.truncated = True
                break
            members -= 1
            parts.append(inner)
            left -= comma + _cost(inner)
        return f"[{','.join(parts)}]"


def _share(left: int, members: int) -> int:
    """Return the bytes for the next of `members`: what the others need not, and at least an equal part."""
    return min(left, max(left // members, left - LEAST_SHARE * (members - 1), LEAST_SHARE))


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < MOST_BYTES else None
    if isinstance(value, float):
        return json.dumps(value) if value - value == 0 else None
    return None


def _quoted(text: str) -> str:
    """Return `text` as a JSON string; U+FFFD stands for halves of surrogate pairs."""
    return encode_basestring(_HALVES.sub("\ufffd", text))


def _cost(text: str) -> int:
    """Return the bytes that JSON takes inside a JSON string: quotes and backslashes are escaped once more."""
    return len(text.encode()) + text.count('"') + text.count("\\")
