"""The places of a definition's values: how the language reads each, and which of them are structure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from domain.language.checking.routes import routes_of
from domain.language.editing.changes import KeyPath
from domain.language.reading.nodes import Location, Mapping, Node, Scalar, Sequence, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.reading.source import UnreadableSource
from domain.language.reading.tree import read_tree
from domain.language.spelling.bodies import all_steps, has_body
from domain.language.spelling.compensations import compensation_of
from domain.language.spelling.definitions import canonicalise
from domain.language.types.steps import STEP_TYPES
from domain.language.types.steps.compensation import COMPENSATION_TYPES

# A whole one of these is structure, and so is its `type`.
_STRUCTURE = ("steps", "triggers", "input", "outputs", "defaults")
_OF_A_STEP = (
    *("id", "type", "depends_on", "default_route", "routes", "on_error", "on_timeout", "compensation"),
    *("steps", "input", "outputs", "for_each", "repeat"),
)


class ValuePlace(Enum):
    """How the language reads a value. SOURCE: a template that may be a bare path."""

    TEXT = "text"
    TEMPLATE = "template"
    SOURCE = "source"
    CONDITION = "condition"
    FORBIDDEN = "forbidden"


_OF_REPETITION = {
    "for_each": {"items": ValuePlace.TEMPLATE, "as": ValuePlace.FORBIDDEN, "key": ValuePlace.TEMPLATE},
    "repeat": {"until": ValuePlace.CONDITION, "carry": ValuePlace.TEMPLATE},
}
NotePlace = Callable[[Node | None, ValuePlace], None]


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar of a definition, as the text spells it. place: how the language reads it."""

    path: KeyPath
    value: str | int | float | bool | None
    line: int
    column: int
    place: ValuePlace


@lru_cache(maxsize=64)
def values_of(source: str) -> tuple[Value, ...]:
    """Return every scalar of a definition's text, keys aside; none of a text that cannot be read."""
    root = _read(source)
    if root is None:
        return ()
    found = [(key_path(each), each.value, each.line, each.column) for each in scalars(root)]
    places = _places(root)
    return tuple(
        Value(path, value, line, column, places.get(path, ValuePlace.TEXT)) for path, value, line, column in found
    )


def key_path(node: Location) -> KeyPath:
    """Return the keys and numbers that lead to a node, as the text spells them."""
    parts: list[str | int] = []
    at: Location | None = node
    while at is not None:
        if at.key is not None:
            parts.append(at.key)
        at = at.parent
    return tuple(reversed(parts))


def keys_of(source: str) -> Iterator[Location]:
    """Return every key of a text that can be read."""
    todo: list[Node] = [root] if (root := _read(source)) is not None else []
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            yield from node.keys.values()
            todo.extend(node.entries.values())
        elif isinstance(node, Sequence):
            todo.extend(node.items)


def _read(source: str) -> Mapping | None:
    try:
        root = read_tree(source, Problems())
    except UnreadableSource:
        return None
    return root if isinstance(root, Mapping) else None


def _places(root: Mapping) -> dict[KeyPath, ValuePlace]:
    """Return the places that are no plain text, by the paths that the text spells."""
    canonicalise(root, Problems())
    places: dict[KeyPath, ValuePlace] = {}

    def note(node: Node | None, place: ValuePlace) -> None:
        for scalar in scalars(node) if node is not None else ():
            places[key_path(scalar)] = place

    for holder in (root, *filter(has_body, all_steps(root))):
        _note_signature(holder, note, places)
    for step in all_steps(root):
        _note_step(step, note)
        _note_wholes(step, _OF_A_STEP, places)
    for trigger in _parts(root.entries.get("triggers")):
        note(trigger.entries.get("type"), ValuePlace.FORBIDDEN)
    _note_wholes(root, _STRUCTURE, places)
    return places


def _note_signature(holder: Mapping, note: NotePlace, places: dict[KeyPath, ValuePlace]) -> None:
    """Note the outputs, the input and the lists of a process, or of a body."""
    for part in _parts(holder.entries.get("outputs")):
        note(part.entries.get("source"), ValuePlace.SOURCE)
    for key in ("steps", "triggers", "outputs"):
        node = holder.entries.get(key)
        for item in node.items if isinstance(node, Sequence) else ():
            if isinstance(item, Scalar):
                places[key_path(item)] = ValuePlace.FORBIDDEN
    declared = holder.entries.get("input")
    for field in declared.entries.values() if isinstance(declared, Mapping) else ():
        note(field.entries.get("type") if isinstance(field, Mapping) else field, ValuePlace.FORBIDDEN)


def _note_step(step: Mapping, note: NotePlace) -> None:
    kind = STEP_TYPES.get(text_of(step.entries.get("type")) or "")
    for name in kind.templates if kind is not None else ():
        note(step.entries.get(name), ValuePlace.TEMPLATE)
    undo = compensation_of(step)
    if undo is not None:
        way = COMPENSATION_TYPES.get(text_of(undo.entries.get("type")) or "")
        for name in way.templates if way is not None else ():
            note(undo.entries.get(name), ValuePlace.TEMPLATE)
        note(undo.entries.get("type"), ValuePlace.FORBIDDEN)
    for name in ("id", "type", "depends_on", "default_route"):
        note(step.entries.get(name), ValuePlace.FORBIDDEN)
    for part in (step, *routes_of(step)):
        note(part.entries.get("condition"), ValuePlace.CONDITION)
        note(part.entries.get("target"), ValuePlace.FORBIDDEN)
    for name in ("on_error", "on_timeout"):
        if isinstance(fallback := step.entries.get(name), Mapping):
            note(fallback, ValuePlace.FORBIDDEN)
    for field, places in _OF_REPETITION.items():
        if isinstance(repetition := step.entries.get(field), Mapping):
            for name, place in places.items():
                note(repetition.entries.get(name), place)


def _parts(node: Node | None) -> list[Mapping]:
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _note_wholes(part: Mapping, keys: tuple[str, ...], places: dict[KeyPath, ValuePlace]) -> None:
    """Note each of the keys whose value is one scalar: a value there would be structure."""
    for key in keys:
        if isinstance(node := part.entries.get(key), Scalar):
            places[key_path(node)] = ValuePlace.FORBIDDEN
