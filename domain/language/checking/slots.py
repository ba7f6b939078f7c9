"""The key of `max_running` and the priority: expressions over the input alone, which no sensitive field enters."""

from domain.language.checking.places import Place
from domain.language.checking.references import References
from domain.language.expressions import ExpressionProblem, Path, parse_template
from domain.language.reading.nodes import Mapping, Node, Scalar, text_of
from domain.language.reading.problems import Problems
from domain.language.types.slots import INPUT_ALONE

_HINT = "nothing but the input is there before an execution starts"


def check_slots(root: Mapping, references: References, problems: Problems) -> None:
    """Note a `per` that is no expression, and expressions that read anything but input that may be shown."""
    limit = root.entries.get("max_running")
    per = limit.entries.get("per") if isinstance(limit, Mapping) else None
    for node, field in ((per, "per"), (root.entries.get("priority"), "priority")):
        text = text_of(node)
        if node is None or not text:
            continue
        if "{{" in text:
            _check(node, text, field, root, references, problems)
        elif field == "per":
            hint = f"write `{{{{ input.{text.removeprefix('input.')[:60]} }}}}`"
            problems.add("invalid_value", "`per` is an expression, and this is the same key for all", node, hint=hint)


def _check(node: Node, text: str, field: str, root: Mapping, references: References, problems: Problems) -> None:
    try:
        paths = parse_template(text).paths
    except ExpressionProblem:
        references.check_templates(node, Place(), field)
        return
    for path in paths:
        if path.parts[0] not in INPUT_ALONE:
            message = f"`{field}` reads the input alone, not `{str(path)[:60]}`"
            problems.add("unknown_root", f"{message} (at character {path.offset + 1} of this text)", node, hint=_HINT)
            return
        if _is_sensitive(path, root):
            message = f"`{field}` reads a sensitive field, and pages show its value to everybody"
            problems.add("sensitive_misplaced", message, node)
            return
    references.check_templates(node, Place(), field)


def _is_sensitive(path: Path, root: Mapping) -> bool:
    declared = root.entries.get("input")
    fields = declared.entries if isinstance(declared, Mapping) else {}
    read = [fields.get(str(path.parts[1]))] if len(path.parts) > 1 else list(fields.values())
    marks = [field.entries.get("sensitive") for field in read if isinstance(field, Mapping)]
    return any(isinstance(mark, Scalar) and mark.value is True for mark in marks)
