"""The tree of a text: plain JSON values, each with its line, column and path."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

SHOWN_KEY = 60


@dataclass(slots=True, eq=False)
class Location:
    """The location of a node: 1-based line and column, and its parent and key in the tree, as the text spells it."""

    line: int
    column: int
    parent: "Sequence | Mapping | None"
    key: str | int | None

    @property
    def path(self) -> str:
        """The path, as ``steps[2].roles.executor``; empty for the root."""
        parts: list[str] = []
        at: Location | None = self
        while at is not None:
            if at.key is not None:
                parts.append(f"[{at.key}]" if isinstance(at.key, int) else f".{at.key[:SHOWN_KEY]}")
            at = at.parent
        return "".join(reversed(parts)).removeprefix(".")


@dataclass(slots=True, eq=False)
class Scalar(Location):
    """A scalar node. value: its value by the core schema. text: as it stands in the source, without quotes."""

    value: str | int | float | bool | None
    text: str


@dataclass(slots=True, eq=False)
class Sequence(Location):
    """A list of nodes."""

    items: "list[Node]" = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping(Location):
    """A mapping node. entries: values by key. keys: the location of each key."""

    entries: "dict[str, Node]" = field(default_factory=dict)
    keys: dict[str, Location] = field(default_factory=dict)


Node: TypeAlias = Scalar | Sequence | Mapping


def plain(node: Node) -> Any:
    """Return the JSON value that a node stands for; the reader has bounded its depth."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(value) for key, value in node.entries.items()}


def tree_of(value: Any, parent: "Sequence | Mapping | None" = None, key: str | int | None = None) -> "Node":
    """Return the tree of a JSON value, with paths and without lines."""
    if isinstance(value, dict):
        node = Mapping(0, 0, parent, key)
        node.keys = {name: Location(0, 0, node, name) for name in value}
        node.entries = {name: tree_of(item, node, name) for name, item in value.items()}
        return node
    if isinstance(value, list):
        items = Sequence(0, 0, parent, key)
        items.items = [tree_of(item, items, at) for at, item in enumerate(value)]
        return items
    return Scalar(0, 0, parent, key, value, str(value))


def scalars(node: Node) -> Iterator[Scalar]:
    """Return every scalar below a node, keys aside, in the order of the text."""
    match node:
        case Scalar():
            yield node
        case Sequence():
            for item in node.items:
                yield from scalars(item)
        case Mapping():
            for value in node.entries.values():
                yield from scalars(value)


def text_of(node: Node | None) -> str | None:
    """Return the text of a node, None when it is anything else."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def kind_of(node: Node) -> str:
    """Return the kind of a node, with its article, as messages name it."""
    match node:
        case Sequence():
            return "a list"
        case Mapping():
            return "an object"
        case Scalar(value=None):
            return "empty"
        case Scalar(value=bool()):
            return "true or false"
        case Scalar(value=str()):
            return "text"
        case _:
            return "a number"
