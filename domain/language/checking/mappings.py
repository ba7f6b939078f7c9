"""Values that a template gives to a field, or to the input of a called process, and that these cannot take."""

from collections.abc import Iterator

from domain.language.checking.kinds import Demands, ShapeOf, kinds_of, listed, null_field
from domain.language.checking.known import CalledShapes, call_of, inputs_of
from domain.language.checking.paths import Wrong
from domain.language.checking.shapes import BOOLEAN, LIST, NULL, NUMBER, TEXT
from domain.language.expressions import ExpressionProblem, TextTemplate, parse_template
from domain.language.reading.nodes import Mapping, Node, text_of
from domain.language.spelling.bodies import has_body

# The kinds of the value of a template that is the whole field, or the whole entry of a list.
_FIELDS = {
    "duration": frozenset((TEXT, NUMBER)),
    "until": frozenset((TEXT,)),
    "recipients": frozenset((TEXT, LIST)),
    "url": frozenset((TEXT,)),
    "items": frozenset((LIST,)),
    "per": frozenset((TEXT, NUMBER, BOOLEAN)),
    "priority": frozenset((NUMBER,)),
}


def unfit(template: TextTemplate, field: str, shape_of: ShapeOf) -> Wrong | None:
    """Return why a template never gives what its field takes; None if it may."""
    takes = _FIELDS.get(field)
    kinds = None if takes is None else kinds_of(template.sources, shape_of)
    if takes is None or kinds is None or not kinds or kinds & takes:
        return None
    message = f"`{field}` takes {listed(takes)}, not {listed(kinds - {NULL} or kinds)}"
    return Wrong("type_mismatch", message, "", 0)


def takes_no_null(field: str) -> bool:
    """Return whether null for the whole field, or for an entry of its list, fails; null is a key of `per`."""
    return field in _FIELDS and field != "per"


def mapping_faults(
    step: Mapping,
    called: CalledShapes,
    shape_of: ShapeOf,
    roots: tuple[str, ...],
    guarded: frozenset[tuple[str | int, ...]],
) -> Iterator[tuple[Wrong, Node]]:
    """Yield what a call gives to its process, or its body, and what that certainly refuses.

    roots: the names that paths may begin with. guarded: the paths that the condition of the step compares with null.
    """
    mapping = step.entries.get("input_mapping")
    callee = called.get(call_of(step))
    inputs = inputs_of(step) if has_body(step) else None if callee is None else callee.inputs
    if inputs is None or not isinstance(mapping, Mapping):
        return
    for name, node in mapping.entries.items():
        written, shape = text_of(node), inputs.get(name)
        if written is None or "{{" not in written or shape is None or shape.kinds is None:
            continue
        try:
            template = parse_template(written, roots)
        except ExpressionProblem:
            continue  # reported where expressions are checked
        kinds = kinds_of(template.sources, shape_of)
        if kinds is not None and kinds & shape.kinds and NULL not in shape.kinds and not shape.filled:
            demands = Demands.of(template, guarded)
            for wrong in null_field(template, f"the input `{name[:60]}`", demands, shape_of):
                yield wrong, node
        if kinds and not kinds & shape.kinds:
            process = (text_of(step.entries.get("process")) or text_of(step.entries.get("id")) or "")[:64]
            given, taken = listed(kinds - {NULL} or kinds), listed(shape.kinds - {NULL})
            yield (
                Wrong("invalid_child_input", f"the input `{name[:60]}` of `{process}` is {taken}, not {given}", "", 0),
                node,
            )
