"""Where an expression stands in a definition."""

from dataclasses import dataclass
from typing import TypeAlias

NullGuards: TypeAlias = frozenset[tuple[str | int, ...]]
_UNGUARDED: NullGuards = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an expression. step: the position of its step, None where all steps have ended.

    undoing: in a compensation, which may follow any step. guarded: the paths that the condition of the step compares
    with null. checked: the steps whose status or error that condition reads.
    """

    step: int | None = None
    undoing: bool = False
    guarded: NullGuards = _UNGUARDED
    checked: frozenset[str] = frozenset()
