"""Quick fixes: the edit of the text that a *did you mean* proposes."""

import bisect
import re
from collections.abc import Iterable

import msgspec

from domain.language.editing.edit import Edit
from domain.language.editing.spans import SCALAR, Span, read_spans
from domain.language.editing.writing import write_text
from domain.language.reading.source import UnreadableSource
from domain.refusal import Problem
from domain.words import meant_in

_INSIDE = re.compile(r"\(at character (?P<at>[0-9]+) of this text\)")
_NAMED = re.compile(r"`([^`]+)`|'([^']+)'|\"([^\"]+)\"")


class QuickFix(msgspec.Struct, frozen=True):
    """An edit of the text that mends a problem: `text` takes the place of what stands from the start to the end.

    label: the word that was meant. line, column: of the first character, from 1. end_line, end_column: of the first
    character after it.
    """

    label: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class TextProblem(Problem, frozen=True, omit_defaults=True):
    """One thing wrong in a text, located. fix: the edit that its hint proposes, if it proposes a word."""

    fix: QuickFix | None = None


def mended(source: str, fix: QuickFix) -> str:
    """Return a text after a quick fix that was made for it."""
    lines = _Lines(source)
    start, end = lines.character(fix.line, fix.column), lines.character(fix.end_line, fix.end_column)
    return Edit(start, end, fix.text).applied(source)


def with_fixes(source: str, problems: Iterable[Problem]) -> list[TextProblem]:
    """Return the problems of a text; each that proposes a word carries the edit that writes it."""
    found = [TextProblem(**msgspec.structs.asdict(each)) for each in problems]
    if not any(each.line is not None and meant_in(each.hint) for each in found):
        return found
    try:
        root = read_spans(source)
    except UnreadableSource:
        return found
    if root is None:
        return found
    keys = {(key.line, key.column) for span in root.walk() for key, _ in span.entries}
    places = {(span.line, span.column): span for span in root.walk() if span.kind == SCALAR}
    lines = _Lines(source)
    fixed = []
    for problem in found:
        meant = meant_in(problem.hint)
        place = (problem.line or 0, problem.column or 0)
        span = places.get(place)
        edit = None if meant is None or span is None else _edit(problem, meant, span, source, key=place in keys)
        fix = None if meant is None or edit is None else lines.quick_fix(meant, edit)
        fixed.append(problem if fix is None else msgspec.structs.replace(problem, fix=fix))
    return fixed


def _edit(problem: Problem, meant: str, span: Span, source: str, *, key: bool) -> Edit | None:
    """Return the edit that writes the word that was meant; None where the wrong one is not to be found."""
    written = source[span.start : span.end]
    inside = _INSIDE.search(problem.message)
    if inside is not None:
        return _inside(problem, meant, span, written, int(inside["at"]) - 1)
    named = _names(problem.message)
    if not key and span.value not in named and span.style not in (None, "'", '"'):
        return None
    if span.anchor is not None or span.style in ("|", ">"):
        return _inside(problem, meant, span, written, 0)
    style = span.style if span.style in ("'", '"') else None
    return Edit(span.start, span.end, write_text(meant, style=style))


def _inside(problem: Problem, meant: str, span: Span, written: str, offset: int) -> Edit | None:
    """Return the edit of the first wrong word after `offset`, if the text as written holds it as often as its value."""
    for name in _names(problem.message):
        word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        values, sources = list(word.finditer(span.value)), list(word.finditer(written))
        at = next((number for number, found in enumerate(values) if found.start() >= offset), None)
        if at is not None and len(values) == len(sources):
            return Edit(span.start + sources[at].start(), span.start + sources[at].end(), meant)
    return None


def _names(message: str) -> list[str]:
    return [next(filter(None, groups)) for groups in _NAMED.findall(message)]


class _Lines:
    """The lines of a text, and the line and column of each character."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer(r"\r\n|[\n\r\x85\u2028\u2029]", source))]

    def quick_fix(self, label: str, edit: Edit) -> QuickFix:
        """Return an edit as lines and columns."""
        return QuickFix(label, *self._place(edit.start), *self._place(edit.end), edit.text)

    def character(self, line: int, column: int) -> int:
        """Return the character at a line and a column, counted from the start of the text."""
        return self._starts[line - 1] + column - 1

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1
