"""Renders a template: values take the places of placeholders in the document and, by edits of spans, in its text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.language.editing.edits import document_of
from domain.language.expressions import ROOTS
from domain.templates.filling import Fill, refilled
from domain.templates.naming import naming_changes
from domain.templates.parameters import DeclaredParameters
from domain.templates.placeholders import OPENING, Pieces, Placeholder, Surroundings, pieces_of
from domain.templates.places import Value, ValuePlace, values_of
from domain.templates.template import Template
from domain.templates.writing import as_literal, as_quoted, as_text

_TEMPLATED = (ValuePlace.TEMPLATE, ValuePlace.SOURCE)
_BARE_PATH = re.compile(rf"(?:{'|'.join(ROOTS)})[.\[]")
_BRACES = re.compile(r"\{\{+")
_BRACES_OR_END = re.compile(r"\{\{+|\{\Z")


@dataclass(frozen=True, slots=True)
class Rendered:
    """yaml: the text of a definition, comments and layout kept. document: exactly what it holds."""

    yaml: str
    document: JsonValue


def render(template: Template, values: Mapping[str, JsonValue], name: str | None = None) -> Rendered:
    """Return the definition with values in the place of its placeholders. name: of the process, if not the text's.

    Placeholders of unknown parameters, and those where none may stand, stay as they are: they are problems of the
    template.
    """
    source = template.process_text
    naming = naming_changes(document_of(source), name)
    if naming:
        # First, so that an answer in the form of an older placeholder stays as it is.
        source, _ = refilled(source, (), naming)
    fills = [each for value in values_of(source) if (each := _fill(value, template.parameters, values)) is not None]
    return Rendered(*refilled(source, fills))


def surveyed(value: Value) -> Pieces:
    """Return the text of a value in pieces."""
    text = value.value if isinstance(value.value, str) else ""
    return pieces_of(text, templated=value.place in _TEMPLATED, condition=value.place is ValuePlace.CONDITION)


def _fill(value: Value, parameters: DeclaredParameters, values: Mapping[str, JsonValue]) -> Fill | None:
    """Return what takes the place of a value; None for one without placeholders."""
    if not isinstance(value.value, str) or OPENING not in value.value or value.place is ValuePlace.FORBIDDEN:
        return None
    pieces = surveyed(value)
    alone = pieces.alone
    if alone is not None and alone.name in parameters:
        return Fill(value.path, _alone(alone, value, parameters, values))
    text, parts = _joined(pieces, value, parameters, values)
    return None if text == value.value else Fill(value.path, text, parts)


def _alone(
    hole: Placeholder, value: Value, parameters: DeclaredParameters, values: Mapping[str, JsonValue]
) -> JsonValue:
    """Return the value of a placeholder that is all there is; it keeps its type."""
    given = _given(hole, values)
    if value.place is ValuePlace.CONDITION:
        return given if isinstance(given, bool) else as_literal(given, parameters[hole.name].type)
    return still(given, value.place) if value.place in _TEMPLATED else given


def still(given: JsonValue, place: ValuePlace) -> JsonValue:
    """Return a value whose texts stay as they are where templates are rendered."""
    match given:
        case str():
            text = _BRACES.sub(_written_out, given)
            return _no_path(text) if place is ValuePlace.SOURCE else text
        case list():
            return [still(item, ValuePlace.TEMPLATE) for item in given]
        case dict():
            return {key: still(item, ValuePlace.TEMPLATE) for key, item in given.items()}
        case _:
            return given


def _joined(
    pieces: Pieces, value: Value, parameters: DeclaredParameters, values: Mapping[str, JsonValue]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the text with values in it, and each piece as written with what takes its place.

    Text between expressions is written out where a value makes, alone or with its neighbours, a `{{` of its own.
    """
    done: list[str] = []
    parts: list[tuple[str, str]] = []
    stretch: list[str] = []
    has_value = False

    def end_stretch(*, before_code: bool) -> None:
        nonlocal has_value
        text = "".join(stretch)
        if has_value and value.place in _TEMPLATED:
            text = (_BRACES_OR_END if before_code else _BRACES).sub(_written_out, text)
        done.append(text)
        stretch.clear()
        has_value = False

    for part in pieces.parts:
        if isinstance(part, Placeholder) and part.name in parameters:
            written = _inside(part, parameters, values)
            parts.append((part.written, written))
        else:
            written = part.written if isinstance(part, Placeholder) else part.text
            if part.written != written:
                parts.append((part.written, written))
        if part.surroundings is Surroundings.TEXT:
            stretch.append(written)
            has_value = has_value or isinstance(part, Placeholder)
        else:
            end_stretch(before_code=True)
            done.append(written)
    end_stretch(before_code=False)
    text = "".join(done)
    if value.place is ValuePlace.SOURCE and not _BARE_PATH.match(str(value.value)):
        text = _no_path(text)
    plain = "".join(_after(pieces, parts))
    return text, tuple(parts) if text == plain else ()


def _after(pieces: Pieces, parts: list[tuple[str, str]]) -> list[str]:
    """Return the pieces with each changed one replaced."""
    left = iter(parts)
    following = next(left, None)
    after: list[str] = []
    for part in pieces.parts:
        if following is not None and part.written == following[0]:
            after.append(following[1])
            following = next(left, None)
        else:
            after.append(part.written)
    return after


def _inside(hole: Placeholder, parameters: DeclaredParameters, values: Mapping[str, JsonValue]) -> str:
    """Return a value as it is written in its surroundings."""
    given = _given(hole, values)
    kind = parameters[hole.name].type
    match hole.surroundings:
        case Surroundings.TEXT:
            return as_text(given, kind)
        case Surroundings.CODE:
            return as_literal(given, kind)
        case quote:
            return as_quoted(as_text(given, kind), quote.value)


def _given(hole: Placeholder, values: Mapping[str, JsonValue]) -> JsonValue:
    given = values.get(hole.name)
    if hole.member is not None:
        return given.get(hole.member) if isinstance(given, dict) else None
    return given


def _written_out(braces: "re.Match[str]") -> str:
    return f"{{{{ '{braces.group()}' }}}}"


def _no_path(text: str) -> str:
    """Return a text that is no bare path, which an output would read as an expression."""
    return f"{{{{ '{text[0]}' }}}}{text[1:]}" if _BARE_PATH.match(text) else text
