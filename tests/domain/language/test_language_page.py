"""The page of the language: its examples are read without a word, and no field is missing from it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.language import parse_definition
from domain.language.checking.known import ROOT_SHAPES
from domain.language.checking.shapes import ANY, step_shape
from domain.language.expressions.filters import FILTERS
from domain.language.types.costs import CostLevel, Costs
from domain.language.types.definition import Defaults, Definition, InputField, OutputDefinition
from domain.language.types.parts import Part
from domain.language.types.quantities import MoneyLimit
from domain.language.types.steps import STEP_TYPES, Retry, Roles
from domain.language.types.steps.compensation import COMPENSATION_TYPES
from domain.language.types.steps.fallback import Goto, GotoStep
from domain.language.types.steps.gateway import Route
from domain.language.types.steps.repetition import ForEach, Repeat
from domain.language.types.triggers import TRIGGER_TYPES, Dst, ScheduleTrigger

PAGE = (Path(__file__).parents[3] / "docs/process-language.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PARTS: list[type[Part]] = [Definition, InputField, Defaults, OutputDefinition, Retry, Roles, Goto, GotoStep, Route]
PARTS += [ForEach, Repeat]
PARTS += [
    *COMPENSATION_TYPES.values(),
    MoneyLimit,
    Costs,
    CostLevel,
    Dst,
    *TRIGGER_TYPES.values(),
    *STEP_TYPES.values(),
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_read_without_a_word(example: str) -> None:
    beside = "" if example.startswith("name:") else "name: example\n"
    if not re.search(r"^steps:", example, re.MULTILINE):
        beside += "steps: [{id: a, agent: writer, message: x}]\n"
    assert parse_definition(beside + example).problems == []


def words() -> Iterator[str]:
    for part in PARTS:
        yield from part.written_fields()
        yield from part.also
    yield from (*STEP_TYPES, *TRIGGER_TYPES, *ScheduleTrigger.takes, *FILTERS, *(step_shape(ANY).members or ()))
    for root, shape in ROOT_SHAPES.items():
        yield from (f"{root}.{member}" for member in shape.members or ())


@pytest.mark.parametrize("word", sorted(set(words())))
def test_every_field_is_on_the_page(word: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", PAGE)
