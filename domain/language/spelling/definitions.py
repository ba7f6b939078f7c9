"""The canonical spelling of a tree: aliases, short forms, unknown keys."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from domain.language.expressions import ROOTS, ExpressionProblem, parse_template
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import has_body, steps_of
from domain.language.spelling.compensations import respell_compensation
from domain.language.spelling.costs import respell_costs
from domain.language.spelling.keys import is_strict, note_unknown_key
from domain.language.spelling.members import respell_members
from domain.language.spelling.schedules import respell_trigger
from domain.language.spelling.steps import default_executor, respell_step
from domain.language.types.definition import Definition
from domain.language.types.parts import Part
from domain.language.types.steps import SubProcess
from domain.language.types.steps.retry import Retry

_BARE_PATH = re.compile(rf"(?:{'|'.join(ROOTS)})[.\[]")


def canonicalise(root: Mapping, problems: Problems) -> None:
    """Rewrite the tree of a definition in place; nodes keep the line, column and path they have in the text."""
    problems.strict_keys = problems.strict_keys or is_strict(root)
    _outputs(root)
    respell_costs(root, problems)
    _fields(root, Definition, problems)
    _steps(root, default_executor(root), problems)
    for trigger in _mappings(root.entries.get("triggers")):
        kind = respell_trigger(trigger, problems)
        if kind is not None:
            _fields(trigger, kind, problems)


def _steps(holder: Mapping, executor: Node | None, problems: Problems) -> None:
    """Rewrite the steps and the outputs of a process, or of a body, whose fields are rewritten already."""
    for step in steps_of(holder):
        part = respell_step(step, executor, problems)
        if part is not None:
            if has_body(step):
                _outputs(step)
            _fields(step, part, problems)
            compensation = step.entries.get("compensation")
            if isinstance(compensation, Mapping) and (kind := respell_compensation(compensation)) is not None:
                _fields(compensation, kind, problems)
            if has_body(step):
                _steps(step, executor, problems)
    for output in _mappings(holder.entries.get("outputs")):
        _source(output, problems)
    respell_members(holder, problems)


def _mappings(node: Node | None) -> Iterable[Mapping]:
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _fields(node: Mapping, part: type[Part], problems: Problems) -> None:
    """Rewrite the aliases, and note unknown keys and empty values, of one part and of the parts inside it."""
    _aliases(node, part, problems)
    for field in part.as_written:
        _number_as_text(node.entries.get(field))
    for field in part.listed:
        _list_of_one(node, field, objects=field in part.listed_objects)
    if part is Retry:
        _backoff(node, problems)
    known = part.written_fields()
    unknown = [key for key in node.entries if key not in known]
    lines = Counter(at.line for at in node.keys.values()) if unknown else Counter()
    for key in unknown:
        note_unknown_key(key, node.keys[key], known, problems, spellings=part.also, cut=_cut(node, key, lines))
        del node.entries[key]
    for key, value in list(node.entries.items()):
        # An empty value means nothing, except where any value is allowed.
        if isinstance(value, Scalar) and value.value is None and known[key].annotation is not Any:
            del node.entries[key]
        elif inside := _part_inside(part, key):
            _each(value, inside, lambda item, inner: _fields(item, inner, problems))


def _cut(node: Mapping, key: str, lines: Counter[int]) -> str:
    """Return a hint for a key that is the rest of a text which a comma has cut: `{message: Hello, world}`.

    lines: the number of keys in each line.
    """
    value = node.entries[key]
    empty = isinstance(value, Scalar) and value.value is None and not value.text
    return "a text with a comma stands in quotes inside { }" if empty and lines[node.keys[key].line] > 1 else ""


def _aliases(node: Mapping, part: type[Part], problems: Problems) -> None:
    for spelling, canonical in part.also.items():
        if spelling not in node.entries:
            continue
        at = node.keys[spelling]
        if canonical in node.entries:
            problems.add("said_twice", f"`{spelling}` and `{canonical}` say the same; keep `{canonical}`", at)
            del node.entries[spelling]
            continue
        problems.add("alias", f"`{spelling}` is read as `{canonical}`", at, severity="notice")
        node.entries[canonical] = node.entries.pop(spelling)
        node.keys[canonical] = node.keys.pop(spelling)


def _backoff(retry: Mapping, problems: Problems) -> None:
    """Add `backoff: exponential` to a retry policy that has a multiplier."""
    entries = retry.entries
    if "backoff" in entries or "multiplier" not in entries:
        return
    at = retry.keys["multiplier"]
    problems.add("alias", "`multiplier` is read as `backoff: exponential` with it", at, severity="notice")
    entries["backoff"] = Scalar(at.line, at.column, retry, "multiplier", "exponential", "exponential")
    retry.keys["backoff"] = at


def _number_as_text(node: Node | None) -> None:
    """Rewrite a number as the text in the source: `1.10`, not 1.1."""
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        node.value = node.text


def _list_of_one(node: Mapping, field: str, *, objects: bool) -> None:
    alone = node.entries.get(field)
    if (objects and isinstance(alone, Mapping)) or (isinstance(alone, Scalar) and alone.value is not None):
        node.entries[field] = Sequence(alone.line, alone.column, alone.parent, alone.key, items=[alone])


def _each(value: Node, inside: tuple[str, type[Part]], do: Callable[[Mapping, type[Part]], None]) -> None:
    shape, part = inside
    if shape == "one" and isinstance(value, Mapping):
        do(value, part)
    elif shape == "list" and isinstance(value, Sequence):
        for item in _mappings(value):
            do(item, part)
    elif shape == "map" and isinstance(value, Mapping):
        for entry in value.entries.values():
            if isinstance(entry, Mapping):
                do(entry, part)


@cache
def _part_inside(part: type[Part], field: str) -> tuple[str, type[Part]] | None:
    """Return whether a field holds a part (``one``), a list or a map; fields of several types are left to each type."""
    if field == "compensation" or (field in ("steps", "triggers") and part in (Definition, SubProcess)):
        return None
    return _part_in(part.written_fields()[field].annotation)


def _part_in(annotation: Any) -> tuple[str, type[Part]] | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return "one", annotation
    if origin is Annotated:
        return _part_in(arguments[0])
    if origin in (Union, UnionType):
        return next((found for found in map(_part_in, arguments) if found), None)
    if origin in (tuple, dict) and (found := _part_in(arguments[0] if origin is tuple else arguments[1])):
        return ("list" if origin is tuple else "map"), found[1]
    return None


def _outputs(holder: Mapping) -> None:
    """Rewrite `{name: source}` as the list that it abbreviates."""
    outputs = holder.entries.get("outputs")
    if not isinstance(outputs, Mapping):
        return
    items = Sequence(outputs.line, outputs.column, outputs.parent, outputs.key)
    for name, source in outputs.entries.items():
        key = outputs.keys[name]
        item = Mapping(key.line, key.column, key.parent, key.key, keys={"name": key, "source": key})
        item.entries = {"name": Scalar(key.line, key.column, key.parent, key.key, name, name), "source": source}
        items.items.append(item)
    holder.entries["outputs"] = items


def _source(output: Mapping, problems: Problems) -> None:
    """Rewrite a bare path, `steps.a.output`, as a template."""
    source = output.entries.get("source")
    if not isinstance(source, Scalar) or not isinstance(source.value, str) or not _BARE_PATH.match(source.value):
        return
    template = f"{{{{ {source.value.strip()} }}}}"
    try:
        parse_template(template)
    except ExpressionProblem:
        return
    shown = f"`{source.value[:60]}` is read as `{template[:70]}`"
    problems.add("alias", shown, source, severity="notice")
    source.value = template
