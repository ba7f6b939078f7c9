"""Edits of a definition's text that replace pieces inside its values, and leave the rest of each value as written."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import KeyPath, TextChange
from domain.language.editing.edit import Edit
from domain.language.editing.edits import edits_of
from domain.language.editing.spans import ALIAS, SCALAR, Span, read_spans

# Plain text that means the same wherever it stands inside a plain scalar.
_PLAIN = re.compile(r"[^\W_][\w./+-]*(?: [\w./+-]+)*\Z")
_ONE_LINE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*\\Z")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fill:
    """The value that `path` has afterwards. parts: the pieces of its text that change, in order, if that will do."""

    path: KeyPath
    value: JsonValue
    parts: tuple[tuple[str, str], ...] = ()


def filled_text(source: str, fills: Sequence[Fill], others: Sequence[TextChange]) -> str | None:
    """Return the text after edits inside the values of `fills`, and after changes elsewhere.

    None where a piece cannot be edited by itself. The caller compares the result with the document that it means.
    """
    root = read_spans(source)
    if root is None:
        return None
    edits = edits_of(source, others)
    for fill in fills:
        span = _at(root, fill.path)
        inside = _inner(span, fill, source) if span is not None else None
        if inside is None:
            return None
        edits += inside
    edits.sort(key=lambda edit: (edit.start, edit.end))
    if any(after.start < edit.end for edit, after in pairwise(edits)):
        return None
    parts, at = [], 0
    for edit in edits:
        parts += [source[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, source[at:]])


def _at(root: Span, path: KeyPath) -> Span | None:
    at = root
    for part in path:
        if at.kind == ALIAS:
            return None
        if isinstance(part, int):
            at = at.items[part]
        else:
            at = next(value for key, value in at.entries if key.value == part)
    return at if at.kind == SCALAR and at.anchor is None else None


def _inner(span: Span, fill: Fill, source: str) -> list[Edit] | None:
    """Return an edit for each piece; None if one of them is not written as it reads, or its text does not fit there."""
    edits: list[Edit] = []
    at = span.start
    for written, text in fill.parts:
        start = source.find(written, at, span.end)
        encoded = _encoded(text, span.style)
        if start < 0 or encoded is None:
            return None
        edits.append(Edit(start, start + len(written), encoded))
        at = start + len(written)
    return edits


def _encoded(text: str, style: str | None) -> str | None:
    if style == '"':
        return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False)[1:-1])
    if not _ONE_LINE.match(text):
        return None
    if style == "'":
        return text.replace("'", "''")
    if style in ("|", ">"):
        return text if text and text == text.strip() else None
    return text if _PLAIN.match(text) else None
