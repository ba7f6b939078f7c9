"""The input that a step gives to its body, against the input that the body declares."""

from domain.language.reading.nodes import Location, Mapping, Node, Scalar, plain, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import item_name
from domain.language.types.inputs import KINDS, is_of_type, kind_of
from domain.words import did_you_mean


def check_body_input(step: Mapping, problems: Problems) -> None:
    """Note fields that the body does not declare, those that it requires and lacks, and constants of another type.

    A body that declares no input takes what the step gives it.
    """
    declared, mapping = step.entries.get("input"), step.entries.get("input_mapping")
    if not isinstance(declared, Mapping) or not (mapping is None or isinstance(mapping, Mapping)):
        return
    fields = declared.entries
    given = {} if mapping is None else mapping.entries
    repeat, item = step.entries.get("repeat"), item_name(step)
    carry = repeat.entries.get("carry") if isinstance(repeat, Mapping) else None
    for part in (mapping, carry):
        if isinstance(part, Mapping):
            _check_fields(part, fields, problems)
    if mapping is None and item is not None:
        if item not in fields:
            _unknown(item, step.keys.get("for_each", step), fields, problems)
        given = {item: declared}
    for name, field in fields.items():
        if name not in given and _is_required(field):
            at = step.keys.get("input_mapping", step)
            message = f"the steps inside require the input `{name[:60]}`"
            problems.add("missing_child_input", message, at, hint="add it to `input_mapping`")


def _check_fields(part: Mapping, fields: dict[str, Node], problems: Problems) -> None:
    for name, node in part.entries.items():
        if name in fields:
            _check_constant(name, node, fields[name], problems)
        else:
            _unknown(name, part.keys.get(name, node), fields, problems)


def _check_constant(name: str, node: Node, field: Node, problems: Problems) -> None:
    kind = text_of(field.entries.get("type")) if isinstance(field, Mapping) else None
    value = plain(node)
    written = any(isinstance(each.value, str) and "{{" in each.value for each in scalars(node))
    if kind in KINDS and value is not None and not written and not is_of_type(value, kind):
        article = "an" if kind[0] in "aio" else "a"
        message = f"the input `{name[:60]}` is {article} {kind}, not {kind_of(value)}"
        problems.add("invalid_child_input", message, node)


def _unknown(name: str, at: Location, fields: dict[str, Node], problems: Problems) -> None:
    hint = "" if problems.full() else did_you_mean(name, fields)
    message = f"the steps inside take no input `{name[:60]}`"
    problems.add("unknown_child_input", message, at, hint=hint or "declare it under `input`")


def _is_required(field: Node) -> bool:
    required = field.entries.get("required") if isinstance(field, Mapping) else None
    always = isinstance(required, Scalar) and required.value is True
    return always and isinstance(field, Mapping) and "default" not in field.entries
