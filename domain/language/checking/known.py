"""The shapes of the values that expressions of a definition can read, as far as the definition states them."""

from collections.abc import Mapping as Types
from dataclasses import dataclass, field, replace

from domain.language.checking.kinds import kinds_of
from domain.language.checking.paths import Wrong, follow
from domain.language.checking.shapes import (
    ANY,
    LIST,
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
from domain.language.expressions import ROOTS, ExpressionProblem, Path, parse_template
from domain.language.expressions.values import kind_of
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.spelling.bodies import has_body, steps_of

_TEXT_OR_NULL = of_kinds(TEXT, NULL)
_TRIGGERS = ("manual", "webhook", "schedule", "sub_process")
ROOT_SHAPES = {
    "execution": of_object(id=of_kinds(TEXT), started_at=of_kinds(TEXT)),
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
    """inputs: shapes of declared input fields, None when none are declared. steps: the shape of each step by its id.

    names: the shapes of names that a step gives to some of its expressions, as that of an item. bare: the steps whose
    bodies declare no outputs. inside: for each step inside a body, the steps that hold one of that name. types: those
    of steps whose output is what one person or agent decides. in_body: the steps are those of a body.
    """

    inputs: Types[str, ValueShape] | None
    steps: Types[str, ValueShape]
    names: Types[str, ValueShape] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    inside: Types[str, list[str]] = field(default_factory=dict)
    types: Types[str, str] = field(default_factory=dict)
    in_body: bool = False

    def root(self, path: Path) -> tuple[ValueShape, int] | None:
        """Return a known shape and the number of parts of the path that lead to it."""
        root, *rest = path.parts
        if root in self.names:
            return self.names[str(root)], 1
        if not rest:
            return None
        name = str(rest[0])
        if root == "steps":
            shape = self.steps.get(name)
            return None if shape is None else (shape, 2)
        if root == "input":
            return (self.inputs[name], 2) if self.inputs is not None and name in self.inputs else None
        shape = ROOT_SHAPES.get(str(root))
        return None if shape is None else (shape, 1)

    def at(self, path: Path) -> ValueShape | Wrong | None:
        """Return the shape of the value of a path, or the mistake in the path; None if nothing is known."""
        shape = self.root(path)
        return None if shape is None else follow(path, shape[0], shape[1])

    def shape(self, path: Path) -> ValueShape | None:
        """Return the shape of the value of a path; None if it is unknown or the path is wrong."""
        found = self.at(path)
        return found if isinstance(found, ValueShape) else None


def incomplete(name: str, path: Path) -> Wrong:
    """Return the mistake of a path that ends before a value."""
    members = step_shape(ANY).members if name.startswith("steps.") else ROOT_SHAPES.get(name, ANY).members
    hint = f"go on with one of: {', '.join(members or ('ID.output',))}"
    return Wrong("incomplete_path", f"`{name}` alone is not a value", hint, path.offset)


def inputs_of(root: Mapping) -> Types[str, ValueShape] | None:
    """Return the shapes of the declared input fields of a canonical tree; None when none are declared."""
    declared = root.entries.get("input")
    if not isinstance(declared, Mapping):
        return None
    return {name: input_shape(field) for name, field in declared.entries.items()}


def known_shapes(root: Mapping, steps: Types[str, Node], called: CalledShapes) -> KnownShapes:
    """Return the shapes that a canonical tree, or a step that holds a body, states. steps: its steps by id."""
    shapes, bare = {}, set()
    inside: dict[str, list[str]] = {}
    for name, step in steps.items():
        for each in steps_of(step) if isinstance(step, Mapping) and has_body(step) else ():
            inside.setdefault(text_of(each.entries.get("id")) or "", []).append(name)
    for name, step in steps.items():
        outputs = child_outputs(step, called) if isinstance(step, Mapping) else None
        shapes[name] = step_shape(output_of(step, outputs) if isinstance(step, Mapping) else ANY, step)
        if has_body(step) and outputs is not None and not outputs.members:
            bare.add(name)
    return KnownShapes(inputs_of(root), shapes, bare=frozenset(bare), inside=inside, types=_types(steps))


def _types(steps: Types[str, Node]) -> dict[str, str]:
    """Return the types of steps, but of those that another step stands in for when they fail or are refused."""
    return {
        name: text_of(step.entries.get("type")) or ""
        for name, step in steps.items()
        if isinstance(step, Mapping) and not isinstance(step.entries.get("on_error"), Mapping)
    }


def child_outputs(step: Mapping, called: CalledShapes) -> ValueShape | None:
    """Return the shape of the outputs of a step's child; None if nothing is known of them."""
    if has_body(step):
        return outputs_shape(step, called, "the steps inside it declare no `outputs`")
    found = called.get(call_of(step))
    return None if found is None else found.outputs


def outputs_shape(holder: Mapping, called: CalledShapes, without: str) -> ValueShape:
    """Return the shape of the outputs of a process, or of a body. without: a hint where it declares none."""
    known = known_shapes(holder, {text_of(step.entries.get("id")) or "": step for step in steps_of(holder)}, called)
    declared = holder.entries.get("outputs")
    outputs = {
        text_of(output.entries.get("name")) or "": value_shape(output.entries["source"], known)
        for output in (declared.items if isinstance(declared, Sequence) else ())
        if isinstance(output, Mapping) and "source" in output.entries
    }
    return replace(of_object(**outputs), hint="" if outputs else without)


def value_shape(source: Node, known: KnownShapes, roots: tuple[str, ...] = ROOTS) -> ValueShape:
    """Return the shape of a value with templates inside. roots: the names that its paths may begin with."""
    if isinstance(source, Mapping):
        return of_object(**{name: value_shape(each, known, roots) for name, each in source.entries.items()})
    if isinstance(source, Sequence):
        return replace(of_kinds(LIST), most=len(source.items))
    if not isinstance(source.value, str) or "{{" not in source.value:
        return ValueShape(frozenset((kind_of(source.value),)), values=(source.value,))
    try:
        sources = parse_template(source.value, roots).sources
    except ExpressionProblem:
        return ANY
    alone = sources[0] if len(sources) == 1 else None
    if isinstance(alone, Path):
        return known.shape(alone) or ANY
    return ValueShape(kinds_of(sources, known.shape))


def call_of(step: Mapping) -> tuple[str, int | None]:
    """Return the process that a canonical step calls, and the version that it states."""
    version = step.entries.get("version")
    number = version.value if isinstance(version, Scalar) else None
    stated = number if isinstance(number, int) and not isinstance(number, bool) else None
    return text_of(step.entries.get("process")) or "", stated
