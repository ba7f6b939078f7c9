"""Expressions of a step that runs a process or a body: its items, its input, its rounds, and what its body is given."""

from collections.abc import Mapping as Types
from dataclasses import replace

from domain.language.checking.enclosing import Enclosing
from domain.language.checking.known import KnownShapes, child_outputs, inputs_of, value_shape
from domain.language.checking.mappings import mapping_faults
from domain.language.checking.places import Place
from domain.language.checking.references import References
from domain.language.checking.shapes import ANY, ANY_OR_NULL, NUMBER, ValueShape, of_kinds, of_object
from domain.language.expressions import Condition, ExpressionProblem, parse_template
from domain.language.expressions.values import kind_of as json_kind_of
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, kind_of, text_of
from domain.language.types.steps.repetition import ROUND_NAMES

_NOT_AT_FIRST = replace(
    ANY_OR_NULL, hint="the first round has none: give one by `input_mapping`, or a fallback: `|| …`"
)


def check_call(references: References, step: Mapping, place: Place) -> References:
    """Note problems in the items, the input and the rounds of a call; return what its input_mapping may refer to.

    references: those of this step.
    """
    given = references
    if (for_each := _part(step, "for_each")) is not None:
        item = _check_items(references, for_each.entries.get("items"), place)
        if references.item:
            given = references.knowing(**{references.item: item})
        if (key := for_each.entries.get("key")) is not None:
            given.check_templates(key, place, "key")
            _check_key(references, key)
    if (mapping := step.entries.get("input_mapping")) is not None:
        given.check_templates(mapping, place, "input_mapping")
    for wrong, node in mapping_faults(step, references.called, given.known.shape, references.roots, place.guarded):
        references.note(wrong, node)
    if (repeat := _part(step, "repeat")) is not None:
        last = of_object(output=child_outputs(step, references.called) or ANY)
        rounds = references.knowing(round=of_kinds(NUMBER), last=last)
        until = repeat.entries.get("until")
        if isinstance(until, Scalar) and isinstance(until.value, str) and until.value:
            _check_until(references, until, rounds.check_condition(until, until.value, place))
        if (carry := repeat.entries.get("carry")) is not None:
            rounds.check_templates(carry, place, "carry")
    return given


def _check_key(references: References, key: Node) -> None:
    """Warn of a key that is the same for each item."""
    written = text_of(key)
    if not written or not references.item or written.startswith(f"{references.item}."):
        return  # a path without braces is a warning by itself
    try:
        paths = parse_template(written, references.roots).paths
    except ExpressionProblem:
        return  # reported where expressions are checked
    if all(path.parts[0] != references.item for path in paths):
        message = f"`key` is the same for each item: it does not read `{references.item}`"
        hint = f'write it as `"{{{{ {references.item}.id }}}}"`, or leave it out'
        references.problems.add("same_key", message, key, hint=hint, severity="warning")


def _check_until(references: References, until: Node, condition: Condition | None) -> None:
    """Warn of a condition that no round changes."""
    if condition is not None and all(path.parts[0] not in ROUND_NAMES for path in condition.paths):
        message = "`until` reads neither `last` nor `round`, so that no round changes it"
        hint = "the outputs of the round are at `last.output`"
        references.problems.add("until_never_changes", message, until, hint=hint, severity="warning")


def inputs_of_body(step: Mapping, given: References) -> Types[str, ValueShape] | None:
    """Return the shapes of the input of a body: as declared, or else of what the step gives it; None if unknown.

    given: what the input_mapping may refer to.
    """
    if "input" in step.entries:
        return inputs_of(step)
    mapping = step.entries.get("input_mapping")
    if isinstance(mapping, Mapping):
        found = {name: value_shape(node, given.known, given.roots) for name, node in mapping.entries.items()}
    elif mapping is not None:
        return None
    else:
        found = {} if given.item is None else {given.item: given.known.names.get(given.item, ANY)}
    repeat = _part(step, "repeat")
    carry = None if repeat is None else repeat.entries.get("carry")
    if carry is not None and not isinstance(carry, Mapping):
        return None
    carried = () if carry is None else carry.entries
    return found | {name: ANY if name in found else _NOT_AT_FIRST for name in carried}


def enclosing_of(step: Mapping, references: References, inputs: Types[str, ValueShape] | None) -> Enclosing:
    """Return what surrounds the body of a step. references: those of the step. inputs: those of the body."""
    return Enclosing(
        (text_of(step.entries.get("id")) or "?")[:64],
        references.graph.ids,
        references.known.inputs,
        references.own,
        references.item,
        inputs,
        references.enclosing,
    )


def _check_items(references: References, items: Node | None, place: Place) -> ValueShape:
    """Note problems of the items of a for_each; return the shape of one."""
    if isinstance(items, Sequence):
        references.check_templates(items, place)
        return _shape_of_constants(items, references.known)
    if items is None:
        return ANY
    written = text_of(items)
    if written is None or "{{" not in written:
        path = f'a value is written "{{{{ {written.strip()[:60]} }}}}"' if written else ""
        message = f"`items` must be a list or a template of one, and is {kind_of(items)}"
        references.problems.add("wrong_type", message, items, hint=path)
        return ANY
    references.check_templates(items, place, "items")
    return value_shape(items, references.known, references.roots).items or ANY


def _shape_of_constants(items: Sequence, known: KnownShapes) -> ValueShape:
    values = [item.value for item in items.items if isinstance(item, Scalar)]
    constant = len(values) == len(items.items) and not any(isinstance(each, str) and "{{" in each for each in values)
    return of_kinds(*{json_kind_of(value) for value in values}) if values and constant else ANY


def _part(step: Mapping, field: str) -> Mapping | None:
    part = step.entries.get(field)
    return part if isinstance(part, Mapping) else None
