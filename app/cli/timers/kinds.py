"""Kinds of timers as commands take them."""

from typing import Annotated

import typer

from domain.executions.timers import KINDS
from domain.words import did_you_mean

Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"The kind of timer: {', '.join(KINDS)}.", show_default=True)]


def kind_given(kind: str) -> str:
    """Return the kind. Raises BadParameter for an unknown kind."""
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"there are {', '.join(KINDS)}"
        raise typer.BadParameter(f"there are no timers of kind {kind!r}; {hint}", param_hint="KIND")
    return kind
