"""The sources of the value of an expression, as far as its text states them: for checks before anything runs."""

from typing import NamedTuple, TypeAlias

from domain.language.expressions.paths import Path
from domain.language.expressions.values import Run, kind_of

Source: TypeAlias = Path | str | None
"""A path whose value it is, the kind of a value that is known (as `kind_of` names it), or None: unknown."""

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


class Operand(NamedTuple):
    """A compiled part of an expression, and where its value comes from."""

    run: Run
    sources: Sources


class Comparison(NamedTuple):
    """Two operands side by side; symbol: `==`, `<`, `in`, …; offset: where it stands in its text."""

    symbol: str
    left: Sources
    right: Sources
    offset: int


def literal(value: object) -> Sources:
    """Return the sources of a literal."""
    return (kind_of(value),)
