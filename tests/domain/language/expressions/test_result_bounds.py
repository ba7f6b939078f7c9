"""What is rendered is counted while it is made, and is bounded as a whole."""

import tracemalloc
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.expressions import Budget, EvaluationFailed, parse_condition, parse_template, parse_value
from domain.language.expressions.values import MOST_WORK

BIG = "x" * 1_000_000
WIDE = {f"k{n}": "y" * 1_000 for n in range(1_000)}


def visible(most: int, **roots: Any) -> dict[str, Any]:
    """A scope that shares a budget, as the engine's does."""
    return {**roots, "execution": SimpleNamespace(budget=Budget(most))}


@pytest.mark.parametrize(
    "value",
    [
        {f"p{n}": "{{ input.big }}" for n in range(1_100)},
        {f"p{n}": "{{ input.wide }}" for n in range(1_100)},
        ["{{ [" + ", ".join(["input.wide"] * 200) + "] }}"] * 50,
        ["{{ [" + ", ".join(["input.wide"] * 200) + "] | json }}"],
        ["{{ [" + ", ".join(["input.big"] * 200) + "] | join(', ') }}"],
        ["{{ [[" + ", ".join(["input.wide"] * 100) + "], [" + ", ".join(["input.wide"] * 100) + "]] }}"],
    ],
)
def test_what_would_be_too_large_fails_before_it_is_made(value: Any) -> None:
    rendered = parse_value(value)
    scope = visible(1 << 20, input={"big": BIG, "wide": WIDE})
    tracemalloc.start()
    with pytest.raises(EvaluationFailed) as failed:
        rendered.render(scope)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert failed.value.code == "result_too_large"
    assert peak < 20 << 20


def test_several_results_share_what_there_is() -> None:
    scope = visible(2_100_000, input={"big": BIG})
    template = parse_template("{{ input.big }}")
    template.render(scope)
    template.render(scope)
    with pytest.raises(EvaluationFailed, match="2100000 bytes"):
        template.render(scope)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.integers(0, 400))
def test_what_is_rendered_whole_fits_and_is_the_value_itself(value: Any, most: int) -> None:
    """Rendered in a scope with room for `most` bytes: the value, or a refusal; never a part of it."""
    template = parse_template("{{ input.value }}")
    try:
        rendered = template.render(visible(most, input={"value": value}))
    except EvaluationFailed as failed:
        code, rendered = failed.code, value
    else:
        code = "result_too_large"
    assert (code, rendered) == ("result_too_large", value)
    assert template.render(visible(1 << 20, input={"value": value})) == value


def test_comparing_large_values_is_bounded_and_equal_ones_that_are_the_same_are_not_walked() -> None:
    many = [[n] for n in range(60_000)]
    scope = {"input": {"one": many, "other": [[n] for n in range(60_000)]}}
    assert parse_condition("input.one == input.one").evaluate(scope)
    with pytest.raises(EvaluationFailed) as failed:
        parse_condition("input.one == input.other").evaluate(scope)
    assert failed.value.code == "result_too_large"


@pytest.mark.parametrize(
    "condition",
    [
        " or ".join(["'y' in (input.big | upper | json | lower)"] * 2),
        " or ".join(["'y' in input.many"] * 4),
        " or ".join(["input.many == input.same"] * 3),
    ],
)
def test_the_work_of_filters_and_comparisons_is_bounded(condition: str) -> None:
    many = [f"z{n}" for n in range(40_000)]
    scope = visible(1 << 20, input={"big": BIG, "many": many, "same": [*many[:-1], "other"]})
    # Other expressions of the scope have gone through the most of it: all of it takes ten seconds.
    scope["execution"].budget.work(MOST_WORK - MOST_WORK // 16, 0)
    parsed = parse_condition(condition)
    with pytest.raises(EvaluationFailed, match="go through more than 67108864 bytes"):
        for _ in range(5):
            parsed.evaluate(scope)


def test_a_text_that_holds_json_is_read_once_for_many_references() -> None:
    text = '{"a": "b", "c": "' + "x" * 200_000 + '"}'
    rendered = parse_template("{{ input.text.a }} " * 1_000)
    assert rendered.render(visible(1 << 20, input={"text": text})) == "b " * 1_000


@given(JSON)
def test_what_is_counted_is_what_json_takes(value: Any) -> None:
    scope = visible(1 << 20, input={"value": value})
    rendered = parse_template("{{ input.value }}").render(scope)
    counted = (1 << 20) - scope["execution"].budget.left
    quoted = 2 if isinstance(value, str) else 0
    assert counted == len(msgspec.json.encode(rendered)) - quoted
