"""Edits of a definition's text that replace pieces inside its values, and leave the rest of each value as written."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.jsonvalue import JsonValue
from domain.language.documents import print_document
from domain.language.editing.changes import EditRefused, KeyPath, ReplaceValue, TextChange, changed
from domain.language.editing.edit import Edit
from domain.language.editing.edits import document_of, edited_together, edits_of
from domain.language.editing.spans import ALIAS, SCALAR, Span, read_spans

# Plain text that means the same wherever it stands inside a plain scalar.
_PLAIN = re.compile(r"(?:[^\W_][\w./+-]*(?: [\w./+-]+)*|\$+\{\{(?: parameters\.[\w-]+ \}\})?)\Z")
_ONE_LINE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*\\Z")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fill:
    """The value that `path` has afterwards. parts: the pieces of its text that change, in order, if that will do."""

    path: KeyPath
    value: JsonValue
    parts: tuple[tuple[str, str], ...] = ()


def refilled(source: str, fills: Sequence[Fill], others: Sequence[TextChange] = ()) -> tuple[str, JsonValue]:
    """Return the text and the document after fills, and after changes at other places. Raises EditRefused.

    The text is made by edits inside values, else of whole values; where an anchor shares a place, or JSON has to be
    respelled, it is printed anew.
    """
    if not fills and not others:
        return source, document_of(source)
    changes = [*(ReplaceValue(fill.path, fill.value) for fill in fills), *others]
    document = changed(document_of(source), *changes)
    inside = [fill for fill in fills if fill.parts]
    whole = [*(ReplaceValue(fill.path, fill.value) for fill in fills if not fill.parts), *others]
    try:
        text = _filled_text(source, inside, whole)
        if text is not None and _exact(document_of(text)) == _exact(document):
            return text, document
    except EditRefused:
        pass
    try:
        return edited_together(source, changes), document
    except EditRefused:
        return print_document(document), document


def _exact(document: JsonValue) -> str:
    return json.dumps(document, sort_keys=True)


def _filled_text(source: str, fills: Sequence[Fill], others: Sequence[TextChange]) -> str | None:
    """Return the text after edits inside the values of `fills`, and after changes elsewhere.

    A value of which a piece cannot be edited by itself is replaced whole. None for JSON that has to be respelled. The
    caller compares the result with the document that it means.
    """
    root = read_spans(source)
    if root is None:
        return None
    edits: list[Edit] = []
    whole = list(others)
    for fill in fills:
        span, flow = _at(root, fill.path)
        inside = _inner(span, fill, source, flow=flow) if span is not None else None
        if inside is None:
            whole.append(ReplaceValue(fill.path, fill.value))
        else:
            edits += inside
    edits += edits_of(source, whole)
    edits.sort(key=lambda edit: (edit.start, edit.end))
    if any(after.start < edit.end for edit, after in pairwise(edits)):
        return None
    parts, at = [], 0
    for edit in edits:
        parts += [source[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, source[at:]])


def _at(root: Span, path: KeyPath) -> tuple[Span | None, bool]:
    """Return the span of a scalar without an anchor, and whether it stands in brackets."""
    at = root
    flow = False
    for part in path:
        if at.kind == ALIAS:
            return None, flow
        flow = flow or at.flow
        if isinstance(part, int):
            at = at.items[part]
        else:
            at = next(value for key, value in at.entries if key.value == part)
    return (at if at.kind == SCALAR and at.anchor is None else None), flow


def _inner(span: Span, fill: Fill, source: str, *, flow: bool) -> list[Edit] | None:
    """Return an edit for each piece; None if one of them is not written as it reads, or its text does not fit there."""
    edits: list[Edit] = []
    at = span.start
    for written, text in fill.parts:
        start = source.find(written, at, span.end)
        encoded = _encoded(text, span.style)
        if span.style is None and flow and "{" in text:
            encoded = None
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
