"""The shapes of the input and the outputs of a published process, for the definitions that call it."""

from dataclasses import replace
from typing import Any

from domain.language.checking.kinds import kinds_of
from domain.language.checking.known import CalledShape, KnownShapes, inputs_of, known_shapes
from domain.language.checking.shapes import ANY, LIST, ValueShape, of_kinds, of_object
from domain.language.expressions import ExpressionProblem, Path, parse_template
from domain.language.expressions.values import kind_of
from domain.language.reading.nodes import Mapping, Node, Sequence, text_of, tree_of


def called_shape(document: dict[str, Any]) -> CalledShape:
    """Return the shapes of a stored document of a definition."""
    root = tree_of(document)
    assert isinstance(root, Mapping)
    steps = root.entries.get("steps")
    named = {text_of(step.entries.get("id")) or "": step for step in _mappings(steps)}
    known = known_shapes(root, named, {})
    outputs = {
        text_of(output.entries.get("name")) or "": _shape(output.entries["source"], known)
        for output in _mappings(root.entries.get("outputs"))
    }
    hint = "" if outputs else "the process declares no `outputs`"
    return CalledShape(replace(of_object(**outputs), hint=hint), inputs_of(root))


def _shape(source: Node, known: KnownShapes) -> ValueShape:
    """Return the shape of the value of an output."""
    if isinstance(source, Mapping):
        return of_object(**{name: _shape(each, known) for name, each in source.entries.items()})
    if isinstance(source, Sequence):
        return of_kinds(LIST)
    if not isinstance(source.value, str) or "{{" not in source.value:
        return ValueShape(frozenset((kind_of(source.value),)), values=(source.value,))
    try:
        sources = parse_template(source.value).sources
    except ExpressionProblem:
        return ANY
    alone = sources[0] if len(sources) == 1 else None
    if isinstance(alone, Path):
        return known.shape(alone) or ANY
    return ValueShape(kinds_of(sources, known.shape))


def _mappings(node: Node | None) -> list[Mapping]:
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []
