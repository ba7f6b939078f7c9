"""The names that expressions of a text may use, for suggestions while it is typed."""

from collections.abc import Mapping as Members

import msgspec

from domain.language.checking.known import ROOT_SHAPES, known_shapes
from domain.language.checking.shapes import ANY, ValueShape, step_shape
from domain.language.expressions.filters import FILTERS
from domain.language.reading.nodes import Mapping, Sequence, text_of

DEEPEST = 4
MOST_MEMBERS = 100


class KnownName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name. kind: of its value in words; empty for any. members: what may follow it. item: of each item of a list."""

    kind: str = ""
    members: dict[str, "KnownName"] = {}
    item: "KnownName | None" = None


class KnownNames(msgspec.Struct, frozen=True):
    """roots: all but `steps`. steps: the output of each step by its id. step: what each step has beside it."""

    roots: dict[str, KnownName]
    steps: dict[str, KnownName]
    step: dict[str, KnownName]
    filters: list[str]


def known_names(root: Mapping) -> KnownNames:
    """Return the names that a canonical tree states, whether it has errors or not."""
    found = root.entries.get("steps")
    items = found.items if isinstance(found, Sequence) else ()
    steps = {id: each for each in items if isinstance(each, Mapping) and (id := text_of(each.entries.get("id")))}
    known = known_shapes(root, steps, {})
    roots = {name: _named(shape) for name, shape in ROOT_SHAPES.items()}
    roots["input"] = KnownName("an object", _members(known.inputs or {}, 1))
    outputs = {id: _named((shape.members or {}).get("output", ANY)) for id, shape in known.steps.items()}
    return KnownNames(roots, outputs, _named(step_shape(ANY)).members, [*FILTERS, "default"])


def _named(shape: ValueShape, depth: int = 0) -> KnownName:
    kind = " or ".join(sorted(shape.kinds)) if shape.kinds else ""
    if depth == DEEPEST:
        return KnownName(kind)
    item = None if shape.items is None else _named(shape.items, depth + 1)
    return KnownName(kind, _members(shape.members or {}, depth + 1), item)


def _members(members: Members[str, ValueShape], depth: int) -> dict[str, KnownName]:
    return {name: _named(members[name], depth) for name in list(members)[:MOST_MEMBERS]}
