"""The source spans of a text: where each key and each value begins and ends, counted in characters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from domain.language.reading.source import as_yaml
from domain.language.reading.tree import LOADER

SCALAR, SEQUENCE, MAPPING, ALIAS = "scalar", "sequence", "mapping", "alias"


@dataclass(slots=True, eq=False)
class Span:
    """A key or a value of a text.

    start, end: its characters; for a block, without the blank space after it. line, column: of its start, from 1.
    flow: whether it is a collection in brackets. style: of a scalar, None or one of ``' " | >``. value: of a scalar.
    kept_end: the end together with the blank lines that belong to a block scalar.
    """

    kind: str
    start: int
    end: int
    line: int
    column: int
    flow: bool = False
    style: str | None = None
    value: str = ""
    anchor: str | None = None
    kept_end: int = 0
    items: "list[Span]" = field(default_factory=list)
    entries: "list[tuple[Span, Span]]" = field(default_factory=list)

    def children(self) -> "Iterator[Span]":
        """Return the keys and values directly inside."""
        yield from self.items
        for key, value in self.entries:
            yield key
            yield value

    def walk(self) -> "Iterator[Span]":
        """Return the span and all spans inside."""
        yield self
        for child in self.children():
            yield from child.walk()


def read_spans(text: str) -> Span | None:
    """Return the spans of a text that `read_tree` reads without an exception.

    None for an empty text, and for JSON that has to be respelled to be read as YAML.
    """
    if as_yaml(text) != text:
        return None
    opened: list[Span] = []
    pending: list[Span | None] = []
    root: Span | None = None
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            closed = opened.pop()
            pending.pop()
            after: Any = event.end_mark
            closed.end = after.index if closed.flow else _last_end(closed)
            closed.kept_end = closed.end if closed.flow else max(child.kept_end for child in closed.children())
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        span = _span(event, text)
        if not opened:
            root = span
        elif opened[-1].kind == SEQUENCE:
            opened[-1].items.append(span)
        elif pending[-1] is None:
            pending[-1] = span
        else:
            opened[-1].entries.append((pending[-1], span))
            pending[-1] = None
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append(span)
            pending.append(None)
    return root


def holds_comments(text: str) -> bool:
    """Return whether a readable text has comments."""
    root = read_spans(text)
    if root is None:
        return False
    at = 0
    for scalar in (span for span in root.walk() if span.kind == SCALAR):
        if "#" in text[at : scalar.start]:
            return True
        header = text[scalar.start : scalar.end].partition("\n")[0]
        if scalar.style in ("|", ">") and "#" in header:
            return True
        at = scalar.end
    return "#" in text[at:]


def _span(event: Any, text: str) -> Span:
    mark: Any = event.start_mark
    span = Span("", mark.index, event.end_mark.index, mark.line + 1, mark.column + 1, anchor=event.anchor)
    span.kept_end = span.end
    match event:
        case yaml.AliasEvent():
            span.kind = ALIAS
        case yaml.ScalarEvent():
            span.kind, span.style, span.value = SCALAR, event.style or None, event.value
            if span.style in ("|", ">"):
                span.end = span.start + len(text[span.start : span.end].rstrip())
        case yaml.SequenceStartEvent():
            span.kind, span.flow = SEQUENCE, bool(event.flow_style)
        case yaml.MappingStartEvent():
            span.kind, span.flow = MAPPING, bool(event.flow_style)
    return span


def _last_end(block: Span) -> int:
    return max((child.end for child in block.children()), default=block.start)
