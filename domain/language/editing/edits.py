"""An edit: the one source span that a change of a document replaces, and the text that takes its place."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import (
    AppendItems,
    EditRefused,
    InsertKey,
    KeyPath,
    RemoveItem,
    RemoveKey,
    RenameKey,
    ReplaceValue,
    TextChange,
    changed,
)
from domain.language.editing.edit import Edit
from domain.language.editing.items import appended, removed
from domain.language.editing.lines import line_end, without_lines
from domain.language.editing.spans import ALIAS, MAPPING, SEQUENCE, Span, read_spans
from domain.language.editing.writing import write_key, write_over, write_value
from domain.language.reading.nodes import plain
from domain.language.reading.problems import Problems
from domain.language.reading.source import UnreadableSource
from domain.language.reading.tree import read_tree

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_SPACE = re.compile(r"[ \t]*")
_COMMENT_LINE = re.compile(r"\r?\n( *)#[^\r\n]*")
_ANY_SPACE = re.compile(r"\s*")


def edit_of(source: str, change: TextChange) -> Edit:
    """Return the edit of a text that makes a change. The text after it holds exactly the changed document.

    Raises EditRefused where no edit of one span does: the text cannot be read, or an anchor shares the place.
    """
    document = document_of(source)
    expected = _exact(changed(document, change))
    text = _Text(source)
    text.refuse_shared(change)
    for edit in text.candidates(change):
        if _holds(edit.applied(source), expected):
            return edit
    raise EditRefused("the layout of the text leaves no place for this change")


def edited_together(source: str, changes: Sequence[TextChange]) -> str:
    """Return the text after changes at places of which none holds another. Raises EditRefused.

    The text is read once for all that fit it at once; half of the changes are made before the others where they do not.
    """
    if len(changes) < 2:
        return edited(source, changes[0]) if changes else source
    expected = _exact(changed(document_of(source), *changes))
    text = _Text(source)
    for change in changes:
        text.refuse_shared(change)
    edits = sorted((text.candidates(change)[0] for change in changes), key=lambda edit: (edit.start, edit.end))
    if all(edit.end <= after.start for edit, after in pairwise(edits)):
        parts, at = [], 0
        for edit in edits:
            parts += [source[at : edit.start], edit.text]
            at = edit.end
        result = "".join([*parts, source[at:]])
        if _holds(result, expected):
            return result
    half = len(changes) // 2
    return edited_together(edited_together(source, changes[:half]), changes[half:])


def edits_of(source: str, changes: Sequence[TextChange]) -> list[Edit]:
    """Return the first edit to try for each change of a text. Raises EditRefused."""
    text = _Text(source)
    for change in changes:
        text.refuse_shared(change)
    return [text.candidates(change)[0] for change in changes]


def edited(source: str, change: TextChange) -> str:
    """Return the text after a change. Raises EditRefused."""
    return edit_of(source, change).applied(source)


def document_of(source: str) -> JsonValue:
    """Return the document that a text writes. Raises EditRefused for one that cannot be read without errors."""
    problems = Problems()
    try:
        root = read_tree(source, problems)
    except UnreadableSource as unreadable:
        raise EditRefused(unreadable.problem.message) from None
    if root is None or problems.errors:
        raise EditRefused("a text is edited that can be read without errors")
    value: JsonValue = plain(root)
    return value


def _exact(document: JsonValue) -> str:
    return json.dumps(document, sort_keys=True)


def _holds(source: str, expected: str) -> bool:
    try:
        return _exact(document_of(source)) == expected
    except EditRefused:
        return False


class _Text:
    """A text with its spans, and the edits that may make a change."""

    def __init__(self, source: str) -> None:
        root = read_spans(source)
        if root is None:
            raise EditRefused("this JSON holds characters that have to be respelled first")
        self._source = source
        self._root = root
        self._json = _is_json(source)
        self._newline = "\r\n" if "\r\n" in source else "\n"
        self._aliases = {source[span.start + 1 : span.end] for span in root.walk() if span.kind == ALIAS}

    def refuse_shared(self, change: TextChange) -> None:
        """Raise EditRefused if the place is one that an alias repeats."""
        aliases = self._aliases
        at = self._root
        shared = at.anchor in aliases
        for part in change.path:
            if at.kind == ALIAS:
                raise EditRefused("the place is inside an alias; change it at its anchor")
            at = _child(at, part)[1]
            shared = shared or (at.kind != ALIAS and at.anchor in aliases)
        inside = isinstance(change, ReplaceValue | RemoveKey | RemoveItem)
        if shared or (inside and any(span.kind != ALIAS and span.anchor in aliases for span in at.walk())):
            raise EditRefused("an anchor shares this place with others")

    def candidates(self, change: TextChange) -> list[Edit]:
        """Return the edits that may make the change, the best first."""
        if isinstance(change, InsertKey):
            return self._insertions(self._at(change.path), change)
        if isinstance(change, AppendItems):
            written = [write_value(value, json_only=self._json) for value in change.values]
            return appended(self._at(change.path), written, self._source, self._newline)
        holder = self._at(change.path[:-1])
        if isinstance(change, RemoveItem):
            return removed(holder, change.path[-1], self._source, self._newline)
        key, value = _child(holder, change.path[-1])
        if isinstance(change, ReplaceValue):
            edit = self._replacement(key, value, change.value)
            # The last line of a text may lack the line break that the last line of a block has.
            return [edit, Edit(edit.start, edit.end, edit.text + self._newline)]
        assert key is not None
        if isinstance(change, RenameKey):
            return [Edit(key.start, key.end, write_key(change.key, json_only=self._json))]
        if len(holder.entries) > 1:
            return [self._removal_from_flow(holder, key)] if holder.flow else self._removals_from_block(holder, key)
        if holder.flow:
            comma = _ANY_SPACE.match(self._source, value.end)
            end = comma.end() + 1 if comma is not None and self._source[comma.end()] == "," else value.end
            return [Edit(key.start, end, "")]
        if not change.path[:-1]:
            return [Edit(key.start, value.end, "{}")]
        above = self._at(change.path[:-2])
        return [self._replacement(_child(above, change.path[-2])[0], holder, {})]

    def _at(self, path: KeyPath) -> Span:
        at = self._root
        for part in path:
            at = _child(at, part)[1]
        return at

    def _replacement(self, key: Span | None, old: Span, value: JsonValue) -> Edit:
        written = write_over(old, value, self._source, json_only=self._json)
        if old.start == old.end:
            colon = key is None or ":" in self._source[key.end : old.start]
            start = old.start if key is None or colon else key.end
            before = self._source[start - 1 : start]
            space = "" if before.isspace() else " "
            after = "" if self._source[old.end : old.end + 1] in ("", " ", "\t", "\r", "\n", ",", "}", "]") else " "
            return Edit(start, start, (space if colon else ": ") + written + after)
        if key is not None and old.kind in (SEQUENCE, MAPPING) and not old.flow and old.anchor is None:
            colon_at = self._source.find(":", key.end, old.start)
            if colon_at >= 0:
                gap = self._source[colon_at + 1 : old.start].rstrip()
                return Edit(colon_at + 1, old.end, f" {written}{gap}")
        return Edit(old.start, old.end, written)

    def _insertions(self, holder: Span, change: InsertKey) -> list[Edit]:
        entry = f"{write_key(change.key, json_only=self._json)}: {write_value(change.value, json_only=self._json)}"
        if holder.flow:
            properties = _PROPERTIES.match(self._source, holder.start)
            opening = properties.end() if properties is not None else holder.start
            if self._source[opening] != "{":
                return []
            if not holder.entries:
                return [Edit(opening + 1, opening + 1, entry)]
            end = holder.entries[-1][1].end
            return [Edit(end, end, f", {entry}")]
        first, last = holder.entries[0][0], holder.entries[-1][1]
        indent = " " * (first.column - 1)
        end = self._past_comments(line_end(self._source, last.end), len(indent))
        below = Edit(end, end, f"{self._newline}{indent}{entry}")
        kept = Edit(last.kept_end, last.kept_end, f"{indent}{entry}{self._newline}")
        above = Edit(first.start, first.start, f"{entry}{self._newline}{indent}")
        return [below, kept, above]

    def _removals_from_block(self, holder: Span, key: Span) -> list[Edit]:
        at = next(number for number, (each, _) in enumerate(holder.entries) if each is key)
        value = holder.entries[at][1]
        begin = self._source.rfind("\n", 0, key.start) + 1
        if not self._source[begin : key.start].strip(" "):
            return without_lines(self._source, self._newline, key.start, value)
        end = line_end(self._source, max(value.end, key.end))
        following = holder.entries[at + 1][0].start if at + 1 < len(holder.entries) else end
        between = self._source[value.end : following]
        return [Edit(key.start, following if not between.strip() else end, "")]

    def _removal_from_flow(self, holder: Span, key: Span) -> Edit:
        at = next(number for number, (each, _) in enumerate(holder.entries) if each is key)
        value = holder.entries[at][1]
        if at + 1 < len(holder.entries):
            comma = self._source.index(",", max(value.end, key.end))
            space = _SPACE.match(self._source, comma + 1)
            end = space.end() if space is not None else comma + 1
            return Edit(key.start, comma + 1 if self._source[end] == "#" else end, "")
        before = holder.entries[at - 1]
        start = max(before[0].end, before[1].end)
        commented = "#" in self._source[start : key.start]
        return Edit(key.start if commented else start, max(value.end, key.end), "")

    def _past_comments(self, end: int, margin: int) -> int:
        """Return the end of the comments below a line that are deeper than the margin: they belong to what is above."""
        while (found := _COMMENT_LINE.match(self._source, end)) is not None and len(found[1]) > margin:
            end = found.end()
        return end


def _child(holder: Span, part: str | int) -> tuple[Span | None, Span]:
    if holder.kind == SEQUENCE and isinstance(part, int):
        return None, holder.items[part]
    for key, value in holder.entries:
        if key.value == part:
            return key, value
    raise EditRefused(f"there is no `{str(part)[:60]}` at this place")


def _is_json(source: str) -> bool:
    try:
        json.loads(source)
    except (ValueError, RecursionError):
        return False
    return True
