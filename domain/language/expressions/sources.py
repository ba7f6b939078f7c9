"""The sources of the value of an expression, as far as its text states them: for checks before anything runs."""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from domain.language.expressions.paths import Path
from domain.language.expressions.values import Run, kind_of


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the text states."""

    value: object

    @property
    def kind(self) -> str:
        """Its kind, as `kind_of` names it."""
        return kind_of(self.value)


Source: TypeAlias = Path | Constant | str | None
"""A path whose value it is, a value, the kind of a value that is known, or None: unknown."""

Sources: TypeAlias = tuple[Source, ...]
"""The value comes from one of these."""

BOOLEAN: Sources = ("a boolean",)
NUMBER: Sources = ("a number",)
UNKNOWN: Sources = (None,)

# The sources of the result of each filter; `default` has those of its operand and its argument.
FILTERED: dict[str, Sources] = {
    "json": ("text",),
    "length": NUMBER,
    "upper": ("text",),
    "lower": ("text",),
    "trim": ("text",),
    "truncate": ("text",),
    "join": ("text",),
    "round": NUMBER,
    "keys": ("a list",),
}


# The kinds that each filter takes; the others take any.
TAKES: dict[str, frozenset[str]] = {
    "length": frozenset(("text", "a list", "an object")),
    "upper": frozenset(("text",)),
    "lower": frozenset(("text",)),
    "trim": frozenset(("text",)),
    "truncate": frozenset(("text",)),
    "join": frozenset(("a list",)),
    "round": frozenset(("a number",)),
    "first": frozenset(("a list",)),
    "last": frozenset(("a list",)),
    "keys": frozenset(("an object",)),
}
# The kinds of the argument of each filter that checks it.
ARGUMENTS: dict[str, frozenset[str]] = {
    "join": frozenset(("text",)),
    "truncate": frozenset(("a number",)),
    "round": frozenset(("a number",)),
}
NUMBERS, BOOLEANS = frozenset(("a number",)), frozenset(("a boolean",))


VARIES, STATED, WORKED_OUT = 0, 1, 2


class Operand(NamedTuple):
    """A compiled part of an expression, and where its value comes from.

    fixed: ``STATED`` for a literal, ``WORKED_OUT`` for what follows from literals alone; ``VARIES`` for any other.
    """

    run: Run
    sources: Sources
    fixed: int = VARIES


class Comparison(NamedTuple):
    """Two operands side by side; symbol: `==`, `<`, `in`, …; offset: where it stands in its text."""

    symbol: str
    left: Sources
    right: Sources
    offset: int


class Use(NamedTuple):
    """An operand that must be of one of `kinds`; symbol: the operator or filter that needs it; offset: its position."""

    symbol: str
    kinds: frozenset[str]
    sources: Sources
    offset: int


def uses_of_operator(symbol: str, sides: list[Operand], offset: int) -> list[Use]:
    """Return the demands of an operator on its operands; `||` and comparisons have none."""
    needed = BOOLEANS if symbol in ("and", "or", "not") else NUMBERS
    return [Use(symbol, needed, side.sources, offset) for side in sides]


def uses_of_filter(name: str, operand: Operand, given: list[Operand], offset: int) -> list[Use]:
    """Return the demands of a filter on its operand and its arguments."""
    uses = [Use(name, TAKES[name], operand.sources, offset)] if name in TAKES else []
    return uses + [Use(name, ARGUMENTS[name], each.sources, offset) for each in given if name in ARGUMENTS]


def joined(operand: Operand, parts: list[Operand], certain: list[Run]) -> Operand:
    """Return an operand as fixed as its parts. If it varies, add those parts to `certain` that literals determine."""
    if all(part.fixed for part in parts):
        return operand._replace(fixed=WORKED_OUT)
    certain += [part.run for part in parts if part.fixed == WORKED_OUT]
    return operand


def literal(value: object) -> Sources:
    """Return the sources of a literal."""
    return (Constant(value),)


def list_of(items: list[Operand]) -> Sources:
    """Return the sources of a list with these items: its value if each is a literal."""
    values = [each.sources[0] for each in items if len(each.sources) == 1]
    known = [each.value for each in values if isinstance(each, Constant)]
    return (Constant(known),) if len(known) == len(items) else ("a list",)


def or_else_of(left: Sources, right: Sources) -> Sources:
    """Return the sources of a value with a fallback."""
    return tuple(replace(each, caught=True) if isinstance(each, Path) else each for each in left) + right
