"""Values that a template gives to a field, or to the input of a called process, and that these cannot take."""

from collections.abc import Iterator

from domain.language.checking.kinds import ShapeOf, kinds_of, listed
from domain.language.checking.known import CalledShapes, call_of
from domain.language.checking.paths import Wrong
from domain.language.checking.shapes import LIST, NULL, NUMBER, TEXT
from domain.language.expressions import ExpressionProblem, TextTemplate, parse_template
from domain.language.reading.nodes import Mapping, Node, text_of

# The kinds of the value of a template that is the whole field, or the whole entry of a list.
_FIELDS = {
    "duration": frozenset((TEXT, NUMBER)),
    "until": frozenset((TEXT,)),
    "recipients": frozenset((TEXT, LIST)),
}


def unfit(template: TextTemplate, field: str, shape_of: ShapeOf) -> Wrong | None:
    """Return why a template never gives what its field takes; None if it may."""
    takes = _FIELDS.get(field)
    kinds = None if takes is None else kinds_of(template.sources, shape_of)
    if takes is None or kinds is None or not kinds or kinds & takes:
        return None
    message = f"`{field}` takes {listed(takes)}, not {listed(kinds - {NULL} or kinds)}"
    return Wrong("type_mismatch", message, "", 0)


def mapping_faults(step: Mapping, called: CalledShapes, shape_of: ShapeOf) -> Iterator[tuple[Wrong, Node]]:
    """Yield what a step gives to the process that it calls and what that process certainly refuses."""
    mapping = step.entries.get("input_mapping")
    callee = called.get(call_of(step)) if text_of(step.entries.get("type")) == "sub_process" else None
    if callee is None or callee.inputs is None or not isinstance(mapping, Mapping):
        return
    for name, node in mapping.entries.items():
        written, shape = text_of(node), callee.inputs.get(name)
        if written is None or "{{" not in written or shape is None or shape.kinds is None:
            continue
        try:
            kinds = kinds_of(parse_template(written).sources, shape_of)
        except ExpressionProblem:
            continue  # reported where expressions are checked
        if kinds and not kinds & shape.kinds:
            process = (text_of(step.entries.get("process")) or "")[:64]
            given, taken = listed(kinds - {NULL} or kinds), listed(shape.kinds - {NULL})
            yield (
                Wrong("invalid_child_input", f"the input `{name[:60]}` of `{process}` is {taken}, not {given}", "", 0),
                node,
            )
