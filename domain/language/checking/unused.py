"""Fields that have no effect where they stand."""

from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.types.steps import STEP_TYPES

_PEOPLE = "name the people in `approvers`"


def check_unused(root: Mapping, problems: Problems) -> None:
    """Note executors of steps without agents, `required` beside a default, and input that no start takes."""
    for step in _items(root, "steps"):
        kind = text_of(step.entries.get("type")) or ""
        roles = step.entries.get("roles")
        if kind in STEP_TYPES and "agent" not in STEP_TYPES[kind].agent_fields and isinstance(roles, Mapping):
            hint = _PEOPLE if kind == "human_approval" else ""
            _unused(roles, "executor", f"in a step of the type `{kind}`", problems, hint)
    declared = root.entries.get("input")
    for field in declared.entries.values() if isinstance(declared, Mapping) else ():
        if isinstance(field, Mapping) and _is_true(field.entries.get("required")) and "default" in field.entries:
            message = "`required` means nothing beside a `default`, it is ignored"
            problems.add("unused_field", message, field.keys.get("required", field), severity="notice")
    manual = [each for each in _items(root, "triggers") if text_of(each.entries.get("type")) == "manual"]
    enabled = [each for each in manual if "enabled" not in each.entries or _is_true(each.entries["enabled"])]
    for trigger in enabled[1:]:
        _unused(trigger, "input", "here: the input of the first enabled `manual` trigger is used", problems)


def _items(root: Mapping, key: str) -> list[Mapping]:
    node = root.entries.get(key)
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is True


def _unused(part: Mapping, field: str, where: str, problems: Problems, hint: str = "") -> None:
    if field in part.entries:
        message = f"`{field}` means nothing {where}, it is ignored"
        problems.add("unused_field", message, part.keys.get(field, part), hint=hint, severity="warning")
