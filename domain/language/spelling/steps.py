"""The canonical spelling of a step, beyond aliases of fields."""

import re

from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import has_body, is_call
from domain.language.spelling.keys import note_unknown_key
from domain.language.spelling.remedies import type_hint
from domain.language.types.steps import STEP_TYPES, Step
from domain.words import did_you_mean

_IMPLIED_TYPE = "agent_task"
# By field: the synonyms of its words from the other field, and the key that names the target.
_WORDS = {
    "on_error": ({"fail": "fail_process", "skip": "skip_step"}, "goto_step"),
    "on_timeout": ({"fail_process": "fail", "skip_step": "skip"}, "goto"),
}
_GOTO = ("goto", "goto_step")
_GOTO_TEXT = re.compile(r"goto(?:_step)?\s*:\s*(\S+)\s*")


def default_executor(root: Mapping) -> Node | None:
    """Return the agent of steps that name none; None when the defaults name none either."""
    defaults = root.entries.get("defaults")
    roles = defaults.entries.get("roles") if isinstance(defaults, Mapping) else None
    executor = roles.entries.get("executor") if isinstance(roles, Mapping) else None
    return executor if text_of(executor) else None


def respell_step(step: Mapping, given_executor: Node | None, problems: Problems) -> type[Step] | None:
    """Rewrite a step in place. Returns its type, None for an unknown one."""
    _dependencies(step, problems)
    for field in _WORDS:
        _fallback(step, field, problems)
    roles = step.entries.get("roles")
    executor = roles.entries.get("executor") if isinstance(roles, Mapping) else None
    by_default = given_executor is not None and "message" in step.entries
    if "type" not in step.entries and (executor is not None or "agent" in step.entries or by_default):
        step.entries["type"] = Scalar(step.line, step.column, step, "type", _IMPLIED_TYPE, _IMPLIED_TYPE)
    written = text_of(step.entries.get("type"))
    if written is None:
        return None
    if written not in STEP_TYPES:
        hint = (
            type_hint(written, "steps") or did_you_mean(written, STEP_TYPES) or f"known types: {', '.join(STEP_TYPES)}"
        )
        problems.add("unknown_step_type", f"there is no step type `{written[:60]}`", step.entries["type"], hint=hint)
        return None
    part = STEP_TYPES[written]
    if "agent" in part.agent_fields:
        if isinstance(roles, Mapping) and executor is not None:
            _executor(step, roles, executor, problems)
        elif given_executor is not None:
            step.entries.setdefault("agent", given_executor)
    if is_call(step) and not has_body(step):
        _without_body(step, problems)
    if part.inside is not None:
        _lift(step, part, part.inside, problems)
    return part


def _without_body(step: Mapping, problems: Problems) -> None:
    """Drop the input and the outputs of a body that is not there."""
    remedies = {"input": "did you mean `input_mapping`?", "outputs": "the outputs of the process are the step's output"}
    for field, hint in remedies.items() if "steps" not in step.entries else ():
        if step.entries.pop(field, None) is not None:
            message = f"`{field}` belongs to `steps` inside a step, and there are none here"
            problems.add("without_steps", message, step.keys[field], hint=hint)


def _executor(step: Mapping, roles: Mapping, executor: Node, problems: Problems) -> None:
    """Rewrite `roles.executor` as `agent`."""
    del roles.entries["executor"]
    agent = step.entries.setdefault("agent", executor)
    if agent is not executor and text_of(agent) != text_of(executor):
        message = "`agent` and `roles.executor` name different agents; a step has one executor"
        problems.add("executor_differs", message, executor, hint="keep one of the two")


def _lift(step: Mapping, part: type[Step], inside: str, problems: Problems) -> None:
    """Move the step's own fields out of the object that may hold them."""
    container = step.entries.get(inside)
    if not isinstance(container, Mapping):
        return
    del step.entries[inside]
    own = set(part.model_fields) - set(Step.model_fields)
    for key, value in container.entries.items():
        canonical, at = part.also.get(key, key), container.keys[key]
        if canonical not in own:
            note_unknown_key(key, at, sorted(own), problems, spellings=part.also)
        elif canonical in step.entries:
            shown = f"`{inside}.{key}` and `{canonical}` say the same; keep `{canonical}`"
            problems.add("said_twice", shown, at)
        else:
            problems.add("alias", f"`{inside}.{key}` is read as `{canonical}`", at, severity="notice")
            step.entries[canonical], step.keys[canonical] = value, at


def _fallback(step: Mapping, field: str, problems: Problems) -> None:
    """Rewrite `{action, target_step}`, `"goto: id"` and the words of the other field."""
    node = step.entries.get(field)
    words, key = _WORDS[field]
    if isinstance(node, Mapping) and "action" in node.entries:
        action = node.entries.pop("action")
        if text_of(action) in _GOTO:
            problems.add("alias", f"`action` is read as `{{{key}: …}}`", node.keys["action"], severity="notice")
            return
        for other in node.entries:
            message = f"`{other[:60]}` means nothing beside this action, it is ignored"
            problems.add("unused_field", message, node.keys[other], severity="warning")
        step.entries[field] = node = action
        if isinstance(action, Scalar):
            problems.add("alias", f"`action` is read as `{field}`", action, severity="notice")
    written = text_of(node)
    if node is None or written is None:
        return
    if isinstance(node, Scalar) and written in words:
        problems.add("alias", f"`{written}` is read as `{words[written]}`", node, severity="notice")
        node.value = words[written]
    elif found := _GOTO_TEXT.fullmatch(written):
        problems.add("alias", f"`{written[:60]}` is read as `{{{key}: {found[1][:60]}}}`", node, severity="notice")
        target = Mapping(node.line, node.column, step, field)
        target.entries[key] = Scalar(node.line, node.column, step, field, found[1], found[1])
        target.keys[key] = target
        step.entries[field] = target


def _dependencies(step: Mapping, problems: Problems) -> None:
    """Rewrite one id as a list of one, and drop repeated ids."""
    needed = step.entries.get("depends_on")
    if isinstance(needed, Scalar) and needed.value is not None:
        step.entries["depends_on"] = Sequence(needed.line, needed.column, step, "depends_on", items=[needed])
    elif isinstance(needed, Sequence):
        seen: set[str] = set()
        kept: list[Node] = []
        for item in needed.items:
            name = text_of(item)
            if name is not None and name in seen:
                message = f"`{name[:60]}` is named twice"
                problems.add("duplicate_dependency", message, item, severity="warning")
                continue
            kept.append(item)
            seen.add(name or "")
        needed.items = kept
