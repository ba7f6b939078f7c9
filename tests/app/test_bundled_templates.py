"""The bundled templates: whatever their parameters accept makes a valid process with the same steps."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.template_checks.files import bundled_folder, read_folder
from domain.language import Parsed, parse_definition
from domain.templates.answers import check_answers
from domain.templates.parameters import Parameter
from domain.templates.reading import read_template
from domain.templates.substitution import render
from domain.templates.template import Template

TEXTS = read_folder(bundled_folder()).templates
NASTY = st.text(st.sampled_from("a1 '\"{}$#:-\n\t|>&*!%@`[],?é😀\\"), max_size=20) | st.sampled_from(
    ["{{ input.x }}", "${{ parameters.x }}", "$${{", "a: b", "'''", "\n- id: evil\n  type: timer", " #", "~", "1e5"]
)
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True)
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": NASTY,
    "number": st.floats(0, 100_000, allow_nan=False) | st.integers(0, 100),
    "integer": st.integers(0, 100),
    "boolean": st.booleans(),
    "array": st.lists(NAMES.map(lambda name: f"{name}@example.org"), max_size=4),
    "object": st.dictionaries(NASTY, NASTY | st.integers(0, 9) | st.lists(NASTY, max_size=2), max_size=3),
    "duration": st.sampled_from(["1h", "2h30m", "PT1H", "90s", 7200]),
    "cron": st.sampled_from(["0 7 * * mon", "*/5 * * * *", "@daily", "0 0 L * *"]),
    "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo"]),
    "agent": NAMES,
    "process": NAMES,
    "secret": st.just("${SOME_SECRET}"),
    "money": st.sampled_from(["5.00 USD", {"amount": "0.10", "currency": "EUR"}]),
}


@cache
def template(name: str) -> Template:
    found = read_template(TEXTS[name]).template
    assert found is not None
    return found


def answers(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.enum is not None:
        return st.sampled_from(parameter.enum)
    return NAMES if parameter.pattern else OF_TYPE[parameter.type]


def made(template: Template, given: dict[str, Any]) -> Parsed | None:
    """The process that answers make; None for answers that are refused."""
    checked = check_answers(template.parameters, given)
    return None if checked.problems else parse_definition(render(template, checked.values, "made").yaml)


def shape(parsed: Parsed) -> object:
    assert parsed.definition is not None, parsed.problems
    steps = [(step.id, step.type, step.depends_on) for step in parsed.definition.steps]
    return steps, [(each.id, each.type) for each in parsed.definition.triggers if each.type != "webhook"]


@cache
def usual_shape(name: str) -> object:
    of = template(name)
    usual = made(of, dict(of.samples[0]))
    assert usual is not None
    return shape(usual)


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_whatever_is_answered_the_process_is_valid_and_has_the_same_steps(name: str, data: st.DataObject) -> None:
    of = template(name)
    given = data.draw(st.fixed_dictionaries({key: answers(each) for key, each in of.parameters.items()}))
    agents = [key for key, each in of.parameters.items() if each.type == "agent"]
    parsed = made(of, given | {key: f"{key}-{given[key]}" for key in agents})
    if parsed is not None:
        assert shape(parsed) == usual_shape(name)


@pytest.mark.parametrize("name", TEXTS)
def test_a_template_is_described_for_people(name: str) -> None:
    of = template(name)
    assert of.name_id == name
    assert of.description.endswith(".")
    assert of.category
    assert len(of.tags) >= 3
    assert all(parameter.title for parameter in of.parameters.values())
    assert TEXTS[name].startswith(b"# ")
