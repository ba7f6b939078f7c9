"""A definition that others wrote, given its name: in the place of older placeholders, or where it states none."""

import re
from dataclasses import dataclass

from domain.identity import PROCESS_NAME
from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.language.editing.spans import MAPPING, read_spans
from domain.language.reading.source import UnreadableSource, decode_source
from domain.refusal import Malformed, Problem
from domain.templates.filling import refilled
from domain.templates.naming import has_older, naming_changes

_NAME = re.compile(PROCESS_NAME.removesuffix("$"))


@dataclass(frozen=True, slots=True)
class NamedText:
    """The text of a definition with its name. problems: if there is one, the text is as it was given."""

    text: str | bytes
    problems: tuple[Problem, ...] = ()


def named_text(source: str | bytes, name: str | None) -> NamedText:
    """Return a definition with `name` at its root, comments and layout kept; as it is without a name.

    A text that cannot be read stays as it is: the reader of definitions reports its problems.
    """
    if name is None:
        return NamedText(source)
    if _NAME.fullmatch(name) is None:
        message = "the name beside the text is not well formed"
        hint = "a process is named with lower-case letters, digits, `.`, `_` and `-`, at most 64"
        return NamedText(source, (Problem("invalid_name", message, "name", hint=hint),))
    try:
        text = decode_source(source)
        document = document_of(text)
        if not isinstance(document, dict):
            return NamedText(source)
        stated = document.get("name")
        if stated is not None and stated != name and not has_older(stated):
            return NamedText(source, (_other_name(text, name),))
        return NamedText(refilled(text, (), naming_changes(document, name))[0])
    except (UnreadableSource, EditRefused):
        return NamedText(source)


def named(source: str | bytes, name: str | None) -> str | bytes:
    """Return the text of `named_text`. Raises Malformed, located, for a name that is not its."""
    found = named_text(source, name)
    if found.problems:
        raise Malformed(found.problems[0].message, list(found.problems))
    return found.text


def _other_name(text: str, name: str) -> Problem:
    root = read_spans(text)
    entries = root.entries if root is not None and root.kind == MAPPING else []
    place = next((value for key, value in entries if key.value == "name"), None)
    return Problem(
        "name_differs",
        f"the text has a name of its own, and is not given the name {name!r}",
        "name",
        line=None if place is None else place.line,
        column=None if place is None else place.column,
        hint="leave the other name away, or write `{{name}}` in its place",
    )
