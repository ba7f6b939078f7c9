"""Follows paths through the shapes that a definition states, and compares the kinds that they lead to."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from domain.language.checking.shapes import BOOLEAN, LIST, NULL, NUMBER, OBJECT, TEXT, ValueShape
from domain.language.expressions import Comparison, Path, Source, Sources
from domain.words import did_you_mean, slip_of

_ORDERED = frozenset(("<", "<=", ">", ">="))
_IN_ORDER = frozenset((TEXT, NUMBER))

KindsOf = Callable[[Path], frozenset[str] | None]
"""The kinds that the value of a path may be of; None when any."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake in an expression. offset: its position in the text."""

    code: str
    message: str
    hint: str
    offset: int
    severity: str = "error"


def follow(path: Path, shape: ValueShape, at: int) -> ValueShape | Wrong:
    """Return the shape at the end of `path`, or the mistake in it. at: the number of parts that lead to `shape`."""
    for depth, part in enumerate(path.parts[at:], at):
        inside = _member(shape, part)
        if inside is None:
            message, hint = _explained(str(Path(path.parts[:depth], 0)), shape, part)
            return Wrong("unknown_member", message, hint, path.offset, _severity(shape, part))
        shape = inside
    return shape


def _member(shape: ValueShape, part: str | int) -> ValueShape | None:
    """Return the shape of a member; None if there certainly is none."""
    kinds = None if shape.kinds is None else shape.kinds - {NULL}
    if isinstance(part, int):
        return None if kinds is not None and LIST not in kinds else shape.items or ValueShape()
    # A text may hold a JSON object.
    if kinds is not None and not kinds & {OBJECT, TEXT}:
        return None
    if shape.members is None:
        return ValueShape()
    return shape.members.get(part, ValueShape() if kinds is not None and TEXT in kinds else None)


def _severity(shape: ValueShape, part: str | int) -> str:
    """Return the severity of an unknown member: an open object may have it, except a slip of a named one."""
    if shape.closed or shape.members is None or not isinstance(part, str):
        return "error"
    return "error" if slip_of(part, shape.members) else "warning"


def _explained(name: str, shape: ValueShape, part: str | int) -> tuple[str, str]:
    shown = f"`{name[:120]}`"
    kinds = shape.kinds or frozenset()
    if isinstance(part, str) and shape.members is not None and OBJECT in kinds | ({OBJECT} if not kinds else set()):
        return f"{shown} has no `{part[:60]}`", _known(part, shape.members)
    what = " or ".join(sorted(kinds - {NULL} or kinds)) or "no object"
    hint = "pick an item with [0], or use first or last" if LIST in kinds else ""
    return f"{shown} is {what}, and has no `{str(part)[:60]}`", hint


def _known(name: str, known: Collection[str]) -> str:
    return did_you_mean(name, known) or f"one of: {', '.join(list(known)[:20])}"


def mismatch(comparison: Comparison, kinds_of: KindsOf) -> Wrong | None:
    """Return why a comparison fails whatever the values are; None if it may succeed."""
    symbol = comparison.symbol
    if symbol in ("in", "contains"):
        return _membership(comparison, kinds_of)
    for left in _each(comparison.left, kinds_of):
        for right in _each(comparison.right, kinds_of):
            one, other = left - {NULL}, right - {NULL}
            comparable = one & other & _IN_ORDER if symbol in _ORDERED else one & other
            if one and other and not comparable:
                message = f"{symbol} cannot compare {_listed(one)} with {_listed(other)}"
                hint = "a number is written without quotes" if one | other == _IN_ORDER else ""
                return Wrong("type_mismatch", message, hint, comparison.offset)
    return None


def not_boolean(sources: Sources, kinds_of: KindsOf) -> Wrong | None:
    """Return why a condition with these sources is never true or false; None if it may be."""
    for kinds in _each(sources, kinds_of):
        if kinds - {NULL} and BOOLEAN not in kinds:
            message = f"a condition needs true or false, not {_listed(kinds - {NULL})}"
            return Wrong("not_a_boolean", message, "compare it, for example with != null", 0)
    return None


def _each(sources: Iterable[Source], kinds_of: KindsOf) -> Iterable[frozenset[str]]:
    """Yield the kinds of each source whose kinds are known."""
    for source in sources:
        kinds = kinds_of(source) if isinstance(source, Path) else None if source is None else frozenset((source,))
        if kinds:
            yield kinds


def _membership(comparison: Comparison, kinds_of: KindsOf) -> Wrong | None:
    holders, items = comparison.right, comparison.left
    if comparison.symbol == "contains":
        holders, items = items, holders
    for kinds in _each(holders, kinds_of):
        if not kinds & {LIST, TEXT, NULL}:
            message = f"cannot look for anything in {_listed(kinds)}"
            return Wrong("type_mismatch", message, "look in its keys: … in (… | keys)", comparison.offset)
    return None


def _listed(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))
