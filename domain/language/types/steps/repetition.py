"""Repetition of a sub_process step: once for each item of a list, or round after round until a condition holds."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from domain.language.expressions import (
    ROOTS,
    Condition,
    TextTemplate,
    ValueTemplate,
    parse_condition,
    parse_template,
    parse_value,
)
from domain.language.types.parts import ConditionText, FieldName, Part, TemplateText
from domain.language.types.quantities import Duration

MAX_PARALLEL = 1_000
MAX_ROUNDS = 10_000
DEFAULT_ITEM = "item"
ROUND, LAST = "round", "last"
ROUND_NAMES = (ROUND, LAST)
ROUND_ROOTS = (*ROOTS, *ROUND_NAMES)
"""The names that `until` and `carry` may begin with: `round` counts from 1, `last` has the `output` of the round."""

_ITEMS = {"anyOf": [{"type": "array"}, {"type": "string", "pattern": r"\{\{"}]}

OnItemError = Literal["fail", "skip", "collect"]
OnExhausted = Literal["fail", "accept"]


class ForEach(Part):
    """A child for each item of a list, in order. items: a list, or a template that gives one.

    as_ (written `as`): the name of the item in `key` and `input_mapping`. max_parallel: children at once. on_error: the
    effect of an item that fails. key: the name of an item for people; no two items have the same.
    """

    items: Annotated[Any, WithJsonSchema(_ITEMS)]
    as_: FieldName = Field(default=DEFAULT_ITEM, alias="as")
    max_parallel: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = 10
    on_error: OnItemError = "fail"
    key: TemplateText | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """The names that `key` and `input_mapping` may begin with."""
        return (*ROOTS, self.as_)

    def plan(self) -> "PlannedForEach":
        """Return the repetition for the engine, with everything parsed."""
        key = None if self.key is None else parse_template(self.key, self.roots)
        return PlannedForEach(parse_value(self.items), self.as_, self.max_parallel, self.on_error, key)


class Repeat(Part):
    """One child after the other until a condition holds. max: of rounds. delay: between two rounds.

    carry: laid over the input of the next round; values with templates inside. on_exhausted: the effect of reaching
    `max` while the condition does not hold.
    """

    until: ConditionText
    max: Annotated[int, Field(ge=1, le=MAX_ROUNDS)] = 10
    delay: Duration | None = None
    carry: dict[str, Any] = Field(default_factory=dict)
    on_exhausted: OnExhausted = "fail"

    def plan(self) -> "PlannedRepeat":
        """Return the repetition for the engine, with everything parsed."""
        until = parse_condition(self.until, ROUND_ROOTS)
        return PlannedRepeat(until, self.max, self.delay, parse_value(self.carry, ROUND_ROOTS), self.on_exhausted)


@dataclass(frozen=True, slots=True)
class PlannedForEach:
    """A repetition for each item, for the engine; `name` is that of the item in expressions."""

    items: ValueTemplate
    name: str
    max_parallel: int
    on_error: OnItemError
    key: TextTemplate | None


@dataclass(frozen=True, slots=True)
class PlannedRepeat:
    """A repetition until a condition holds, for the engine."""

    until: Condition
    max: int
    delay: timedelta | None
    carry: ValueTemplate
    on_exhausted: OnExhausted
