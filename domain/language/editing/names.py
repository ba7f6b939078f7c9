"""The names that expressions of a text may use, for suggestions while it is typed."""

from collections.abc import Iterator
from collections.abc import Mapping as Members
from itertools import islice

import msgspec

from domain.language.checking.known import ROOT_SHAPES, child_outputs, known_shapes
from domain.language.checking.shapes import ANY, NUMBER, ValueShape, of_kinds, of_object, step_shape
from domain.language.expressions.filters import FILTERS
from domain.language.reading.nodes import Mapping, text_of
from domain.language.spelling.bodies import has_body, is_call, item_name, steps_of
from domain.language.types.steps.repetition import LAST, ROUND

DEEPEST = 4
MOST_MEMBERS = 100
MOST_SCOPES = 100


class KnownName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name. kind: of its value in words; empty for any. members: what may follow it. item: of each item of a list."""

    kind: str = ""
    members: dict[str, "KnownName"] = {}
    item: "KnownName | None" = None


class KnownScope(msgspec.Struct, frozen=True):
    """The names from a line on, to the next scope. roots: all but `steps`. steps: the output of each step by its id."""

    line: int
    roots: dict[str, KnownName]
    steps: dict[str, KnownName]


class KnownNames(msgspec.Struct, frozen=True):
    """roots, steps: as in a scope, up to the first one of `scopes`. step: what each step has beside its output."""

    roots: dict[str, KnownName]
    steps: dict[str, KnownName]
    step: dict[str, KnownName]
    filters: list[str]
    scopes: list[KnownScope]


def known_names(root: Mapping) -> KnownNames:
    """Return the names that a canonical tree states, whether it has errors or not."""
    own = _scope(root, 0, None)
    scopes = [*islice(_scopes(root, own), MOST_SCOPES)]
    return KnownNames(own.roots, own.steps, _named(step_shape(ANY)).members, [*FILTERS, "default"], scopes)


def _scope(holder: Mapping, line: int, inputs: Members[str, ValueShape] | None) -> KnownScope:
    """Return the names that the expressions of a process, or of a body, see. inputs: those of a body."""
    steps = {id: each for each in steps_of(holder) if (id := text_of(each.entries.get("id")))}
    known = known_shapes(holder, steps, {})
    roots = {name: _named(shape) for name, shape in ROOT_SHAPES.items()}
    roots["input"] = KnownName("an object", _members(inputs or known.inputs or {}, 1))
    outputs = {id: _named((shape.members or {}).get("output", ANY)) for id, shape in known.steps.items()}
    return KnownScope(line, roots, outputs)


def _scopes(holder: Mapping, around: KnownScope) -> Iterator[KnownScope]:
    """Yield each change of scope around and inside the calls of a process, or of a body."""
    changed = False
    for step in steps_of(holder):
        if changed:
            yield msgspec.structs.replace(around, line=step.line)
            changed = False
        for field in step.entries if is_call(step) else ():
            line = step.keys[field].line if field in step.keys else step.line
            if has_body(step) and field in ("steps", "outputs"):
                body = _scope(step, line, _given(step))
                yield body
                yield from _scopes(step, body) if field == "steps" else ()
            elif names := _names_in(step, field):
                yield msgspec.structs.replace(around, line=line, roots=around.roots | names)
            elif changed:
                yield msgspec.structs.replace(around, line=line)
            changed = (has_body(step) and field in ("steps", "outputs")) or bool(_names_in(step, field))


def _names_in(step: Mapping, field: str) -> dict[str, KnownName]:
    """Return the names that only one field of a call may begin with."""
    item = item_name(step)
    if item and field in ("for_each", "input_mapping"):
        return {item: KnownName()}
    if field != "repeat":
        return {}
    outputs = _named(of_object(output=child_outputs(step, {}) or ANY))
    return {ROUND: _named(of_kinds(NUMBER)), LAST: outputs}


def _given(step: Mapping) -> dict[str, ValueShape] | None:
    """Return the input of a body that declares none: the fields that the step gives it."""
    if "input" in step.entries:
        return None
    mapping, repeat, item = step.entries.get("input_mapping"), step.entries.get("repeat"), item_name(step)
    carry = repeat.entries.get("carry") if isinstance(repeat, Mapping) else None
    names = [*(each for part in (mapping, carry) if isinstance(part, Mapping) for each in part.entries)]
    return dict.fromkeys(names if mapping is not None or item is None else [item], ANY)


def _named(shape: ValueShape, depth: int = 0) -> KnownName:
    kind = " or ".join(sorted(shape.kinds)) if shape.kinds else ""
    if depth == DEEPEST:
        return KnownName(kind)
    item = None if shape.items is None else _named(shape.items, depth + 1)
    return KnownName(kind, _members(shape.members or {}, depth + 1), item)


def _members(members: Members[str, ValueShape], depth: int) -> dict[str, KnownName]:
    return {name: _named(members[name], depth) for name in list(members)[:MOST_MEMBERS]}
