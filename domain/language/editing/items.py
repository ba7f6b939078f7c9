"""The edits that may add an item to a list, or remove one: in brackets, or a line for each."""

import re

from domain.language.editing.edit import Edit
from domain.language.editing.lines import line_end, without_lines
from domain.language.editing.spans import Span

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_AFTER_COMMA = re.compile(r"\s*,[ \t]*")
_BLOCK_HEADER = re.compile(r"([|>][0-9]*)[-+]?")
_DASH = re.compile(r"-[ \t]+")


def appended(holder: Span, written: list[str], source: str, newline: str) -> list[Edit]:
    """Return the edits that may add items, the best first."""
    if holder.flow:
        if holder.items:
            end = holder.items[-1].end
            return [Edit(end, end, "".join(f", {each}" for each in written))]
        properties = _PROPERTIES.match(source, holder.start)
        opening = properties.end() if properties is not None else holder.start
        return [Edit(opening + 1, opening + 1, ", ".join(written))] if source[opening : opening + 1] == "[" else []
    if not holder.items:
        return []
    last = holder.items[-1]
    indent = " " * (_line_of(holder.items[0], source)[1])
    end = line_end(source, last.end)
    below = Edit(end, end, "".join(f"{newline}{indent}- {each}" for each in written))
    kept = Edit(last.kept_end, last.kept_end, "".join(f"{indent}- {each}{newline}" for each in written))
    return [below, kept, *_below_an_open_block(last, below, source)]


def _below_an_open_block(last: Span, below: Edit, source: str) -> list[Edit]:
    """Return the edit for a text that ends in a block scalar without a line break: the scalar goes on without it."""
    while last.items or last.entries:
        last = last.items[-1] if last.items else last.entries[-1][1]
    header = _BLOCK_HEADER.match(source, last.start)
    if header is None:
        return []
    stripped = f"{header[1]}-{source[header.end() : below.start]}"
    return [Edit(last.start, below.end, stripped + below.text)]


def removed(holder: Span, at: str | int, source: str, newline: str) -> list[Edit]:
    """Return the edits that may remove an item, the best first."""
    if not isinstance(at, int) or len(holder.items) < 2:
        return []
    item = holder.items[at]
    if holder.flow:
        if at + 1 < len(holder.items):
            comma = _AFTER_COMMA.match(source, item.end)
            end = comma.end() if comma is not None else holder.items[at + 1].start
            return [Edit(item.start, end, "")]
        before = holder.items[at - 1].end
        commented = "#" in source[before : item.start]
        return [Edit(item.start if commented else before, item.end, "")]
    dash, _ = _line_of(item, source)
    begin = source.rfind("\n", 0, dash) + 1
    if not source[begin:dash].strip(" "):
        return without_lines(source, newline, dash, item)
    # A list inside a list begins on the line of the outer dash.
    return [Edit(dash, _line_of(holder.items[at + 1], source)[0], "")] if at + 1 < len(holder.items) else []


def _line_of(item: Span, source: str) -> tuple[int, int]:
    """Return the place of the dash before an item of a block, and its column from 0."""
    dash = source.rfind("-", 0, item.start)
    while dash > 0 and _DASH.match(source, dash) is None and source[dash + 1 : dash + 2] not in ("\n", "\r"):
        dash = source.rfind("-", 0, dash)
    return dash, dash - (source.rfind("\n", 0, dash) + 1)
