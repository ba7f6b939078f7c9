"""The shapes of the values that expressions of a definition can read, as far as the definition states them."""

from collections.abc import Mapping as Types
from dataclasses import dataclass

from domain.language.checking.paths import Wrong, follow
from domain.language.checking.shapes import (
    ANY,
    NULL,
    NUMBER,
    TEXT,
    ValueShape,
    input_shape,
    of_kinds,
    of_object,
    output_of,
    step_shape,
)
from domain.language.expressions import Path
from domain.language.reading.nodes import Mapping, Node, Scalar, text_of

_TEXT_OR_NULL = of_kinds(TEXT, NULL)
_TRIGGERS = ("manual", "webhook", "schedule", "sub_process")
ROOT_SHAPES = {
    "execution": of_object(id=of_kinds(TEXT), started_at=_TEXT_OR_NULL),
    "process": of_object(name=of_kinds(TEXT), version=of_kinds(NUMBER)),
    "trigger": of_object(
        type=ValueShape(frozenset((TEXT,)), values=_TRIGGERS), id=_TEXT_OR_NULL, payload=ANY, scheduled_at=_TEXT_OR_NULL
    ),
}


@dataclass(frozen=True, slots=True)
class CalledShape:
    """A process that a definition calls. outputs: the shape of its outputs. inputs: of its input, None if any."""

    outputs: ValueShape
    inputs: Types[str, ValueShape] | None


CalledShapes = Types[tuple[str, int | None], CalledShape]
"""Called processes by their names and the versions that the calls state; None for the latest."""


@dataclass(frozen=True, slots=True)
class KnownShapes:
    """inputs: shapes of declared input fields, None when none are declared. steps: the shape of each step by its id."""

    inputs: Types[str, ValueShape] | None
    steps: Types[str, ValueShape]

    def root(self, path: Path) -> tuple[ValueShape, int] | None:
        """Return a known shape and the number of parts of the path that lead to it."""
        root, *rest = path.parts
        if not rest:
            return None
        name = str(rest[0])
        if root == "steps":
            shape = self.steps.get(name)
            return None if shape is None else (shape, 2)
        if root == "input":
            return (self.inputs[name], 2) if self.inputs is not None and name in self.inputs else None
        return ROOT_SHAPES[str(root)], 1

    def at(self, path: Path) -> ValueShape | Wrong | None:
        """Return the shape of the value of a path, or the mistake in the path; None if nothing is known."""
        shape = self.root(path)
        return None if shape is None else follow(path, shape[0], shape[1])

    def shape(self, path: Path) -> ValueShape | None:
        """Return the shape of the value of a path; None if it is unknown or the path is wrong."""
        found = self.at(path)
        return found if isinstance(found, ValueShape) else None


def inputs_of(root: Mapping) -> Types[str, ValueShape] | None:
    """Return the shapes of the declared input fields of a canonical tree; None when none are declared."""
    declared = root.entries.get("input")
    if not isinstance(declared, Mapping):
        return None
    return {name: input_shape(field) for name, field in declared.entries.items()}


def known_shapes(root: Mapping, steps: Types[str, Node], called: CalledShapes) -> KnownShapes:
    """Return the shapes that a canonical tree states. steps: its steps by id."""
    shapes = {}
    for name, step in steps.items():
        outputs = called.get(call_of(step)) if isinstance(step, Mapping) else None
        found = output_of(step, None if outputs is None else outputs.outputs) if isinstance(step, Mapping) else ANY
        shapes[name] = step_shape(found)
    return KnownShapes(inputs_of(root), shapes)


def call_of(step: Mapping) -> tuple[str, int | None]:
    """Return the process that a canonical step calls, and the version that it states."""
    version = step.entries.get("version")
    number = version.value if isinstance(version, Scalar) else None
    stated = number if isinstance(number, int) and not isinstance(number, bool) else None
    return text_of(step.entries.get("process")) or "", stated
