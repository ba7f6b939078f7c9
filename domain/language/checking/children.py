"""Sub-processes: consistency of a step that calls one, and the processes that a definition calls."""

from collections.abc import Iterator

from domain.language.expressions import ROOTS
from domain.language.parsed import InputUse, ProcessUse, Spot
from domain.language.reading.nodes import Location, Mapping, Node, Scalar, plain, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import all_steps, has_body, is_call, item_name, steps_of
from domain.language.types.definition import MAX_STEPS
from domain.language.types.parts import ABSENT
from domain.language.types.steps.repetition import ROUND_NAMES

MAX_NESTING = 5
"""Bodies around a step, at most."""

_EXPRESSION_WORDS = frozenset(("and", "or", "not", "in", "contains", "true", "false", "null"))
# A step without `wait` ignores these fields.
_WHILE_WAITING = ("output_key", "timeout", "total_timeout", "on_timeout", "retry")


def check_size(root: Mapping, problems: Problems) -> None:
    """Note bodies inside more bodies than may be, and more steps in all bodies together than a process may have."""
    _check_nesting(root, 0, problems)
    total = sum(1 for _ in all_steps(root))
    if total > MAX_STEPS and all(len(steps_of(each)) <= MAX_STEPS for each in (root, *all_steps(root))):
        message = f"a process has at most {MAX_STEPS:,} steps, those of its bodies included; this one has {total:,}"
        problems.add("too_many_steps", message, root.entries["steps"])


def check_sub_process(step: Mapping, problems: Problems) -> None:
    """Note fields of a call that exclude one another, and those without effect."""
    entries = step.entries
    if "process" not in entries and "steps" not in entries:
        hint = "name a process, or write the steps inside this one"
        problems.add("missing_field", "`process` or `steps` is required", step, hint=hint, below=".process")
    if "process" in entries and "steps" in entries:
        message = "a step runs a process, or the steps inside it: `process` and `steps` exclude each other"
        problems.add("process_and_steps", message, step.keys.get("steps", step), hint="keep one of the two")
    elif "steps" in entries and "version" in entries:
        message = "`version` is that of a `process`; the steps inside a step belong to this version"
        problems.add("version_of_steps", message, step.keys.get("version", step), hint="leave it out")
    if "for_each" in entries and "repeat" in entries:
        message = "a step has `for_each` or `repeat`, not both"
        hint = "put one inside the other: a step with one, whose `steps` hold a step with the other"
        problems.add("for_each_and_repeat", message, step.keys.get("repeat", step), hint=hint)
    _check_item_name(step, problems)
    wait = entries.get("wait")
    if not (isinstance(wait, Scalar) and wait.value is False):
        return
    for field in ("for_each", "repeat"):
        if field in entries:
            message = f"`{field}` waits for each child: `wait: false` cannot stand beside it"
            problems.add("repeats_without_waiting", message, step.keys.get("wait", step), hint="leave `wait` out")
    # Without `wait` a step completes at once, so it cannot fail or retry.
    for field in _WHILE_WAITING:
        if field in entries:
            message = f"`{field}` means nothing with `wait: false`, it is ignored"
            problems.add("unused_field", message, step.keys.get(field, step), severity="warning")


def _check_nesting(holder: Mapping, depth: int, problems: Problems) -> None:
    for step in steps_of(holder):
        if has_body(step):
            if depth == MAX_NESTING:
                message = f"steps stand inside at most {MAX_NESTING} others"
                hint = "publish the inner steps as a process, and call it by its name"
                problems.add("nested_too_deep", message, step.keys.get("steps", step), hint=hint)
            else:
                _check_nesting(step, depth + 1, problems)


def _check_item_name(step: Mapping, problems: Problems) -> None:
    """Note a name of an item that means something else in expressions, or cannot stand in one."""
    for_each = step.entries.get("for_each")
    node = for_each.entries.get("as") if isinstance(for_each, Mapping) else None
    name = text_of(node)
    if node is None or name is None:
        return
    if name in (*ROOTS, *ROUND_NAMES) or name in _EXPRESSION_WORDS:
        message = f"`{name}` means something else in expressions, and is no name for an item"
        problems.add("reserved_name", message, node, hint="name the item for what it is, as `company`")
    elif name.endswith("-"):
        problems.add("invalid_name", "a name in expressions does not end with `-`", node)


def processes_in(root: Mapping) -> Iterator[ProcessUse]:
    """Return every readable call of a process in a canonical tree."""
    for step in all_steps(root):
        node, version, mapping = (step.entries.get(key) for key in ("process", "version", "input_mapping"))
        name = text_of(node)
        if is_call(step) and node is not None and name:
            yield ProcessUse(
                name,
                _version_of(version),
                (*_inputs_in(mapping), *_inputs_of_repetition(step)),
                at=_spot(node),
                version_at=_spot(version or node),
                inputs_at=_spot(mapping or node),
            )


def _version_of(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _inputs_in(mapping: Node | None) -> Iterator[InputUse]:
    for name, node in mapping.entries.items() if isinstance(mapping, Mapping) else ():
        depends = any(isinstance(each.value, str) and "{{" in each.value for each in scalars(node))
        yield InputUse(name, ABSENT if depends else plain(node), _spot(node))


def _inputs_of_repetition(step: Mapping) -> Iterator[InputUse]:
    """Yield the item, where no input_mapping is there, and the fields that only rounds after the first are given."""
    mapping, item = step.entries.get("input_mapping"), item_name(step)
    if mapping is None and item is not None:
        yield InputUse(item, ABSENT, _spot(step.entries["for_each"]))
    repeat = step.entries.get("repeat")
    carry = repeat.entries.get("carry") if isinstance(repeat, Mapping) else None
    given = mapping.entries if isinstance(mapping, Mapping) else {}
    for name, node in carry.entries.items() if isinstance(carry, Mapping) else ():
        if name not in given:
            yield InputUse(name, None, _spot(node))


def _spot(place: Location) -> Spot:
    return Spot(place.path, place.line, place.column)
