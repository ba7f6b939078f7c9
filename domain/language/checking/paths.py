"""Follows paths through the shapes that a definition states."""

from collections.abc import Collection
from dataclasses import dataclass

from domain.language.checking.shapes import LIST, NULL, OBJECT, TEXT, ValueShape
from domain.language.expressions import Path
from domain.words import did_you_mean, slip_of


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
        beyond = shape.most is not None and part >= shape.most
        return None if beyond or (kinds is not None and LIST not in kinds) else shape.items or ValueShape()
    # A text may hold a JSON object.
    if kinds is not None and not kinds & {OBJECT, TEXT}:
        return None
    if shape.members is None:
        return ValueShape()
    return shape.members.get(part, ValueShape() if kinds is not None and TEXT in kinds else None)


def _severity(shape: ValueShape, part: str | int) -> str:
    """Return the severity of an unknown member: an open object may have it, except a slip of a named one."""
    if isinstance(part, int) and shape.most is not None and (shape.kinds is None or LIST in shape.kinds):
        return "warning"
    if shape.closed or shape.members is None or not isinstance(part, str):
        return "error"
    return "error" if slip_of(part, shape.members) else "warning"


def _explained(name: str, shape: ValueShape, part: str | int) -> tuple[str, str]:
    shown = f"`{name[:120]}`"
    kinds = shape.kinds or frozenset()
    if isinstance(part, str) and shape.members is not None and OBJECT in kinds | ({OBJECT} if not kinds else set()):
        return f"{shown} has no `{part[:60]}`", _known(part, shape.members, shape.hint)
    if isinstance(part, int) and shape.most is not None and part >= shape.most:
        return f"{shown} has at most {shape.most} items, counted from 0", ""
    what = " or ".join(sorted(kinds - {NULL} or kinds)) or "no object"
    hint = "pick an item with [0], or use first or last" if LIST in kinds else ""
    if part in ("length", "size", "count") and kinds & {LIST, OBJECT, TEXT}:
        hint = f"write `{name[:120]} | length`"
    return f"{shown} is {what}, and has no `{str(part)[:60]}`", hint


def _known(name: str, known: Collection[str], otherwise: str) -> str:
    if not known:
        return otherwise or "it has no members"
    return did_you_mean(name, known) or f"one of: {', '.join(list(known)[:20])}"
