"""Expressions whose operands are written down and that fail for every input: a warning of what fails."""

import pytest

from domain.language import parse_definition
from domain.language.checking.certain import Trial, certain_failures
from domain.language.expressions import parse_template


def codes(expression: str, *, field: str = "message") -> list[tuple[str, str]]:
    text = f"{{{{ {expression} }}}}" if field == "message" else expression
    source = f"""name: p
input: {{n: {{type: number, required: true}}, t: {{type: string, required: true}}}}
steps:
- {{id: t, type: timer, duration: 1s}}
- id: a
  agent: w
  depends_on: t
  message: "{text if field == "message" else "x"}"
  condition: "{text if field == "condition" else "true"}"
"""
    return [(each.severity, each.code) for each in parse_definition(source).problems]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 / 0", "division_by_zero"),
        ("input.n / 0", "division_by_zero"),
        ("input.n / (2 - 2)", "division_by_zero"),
        ("(input.n || 1) / 0.0", "division_by_zero"),
        ("input.t || 1 / 0", "division_by_zero"),
        ("input.t | default(1 / 0)", "division_by_zero"),
        ("[1 / 0, input.t]", "division_by_zero"),
        ("-(1 / 0) + input.n", "division_by_zero"),
        ("9223372036854775807 + 1", "number_out_of_range"),
        ("input.t | truncate(0)", "invalid_argument"),
        ("input.t | truncate(1.5)", "type_mismatch"),
        ("input.n | round(99)", "invalid_argument"),
        ("input.n | round(2 - 3)", "invalid_argument"),
        ("5 in ['a', 'b']", "type_mismatch"),
        ("null + 1", "type_mismatch"),
        ("[] | first | upper", "type_mismatch"),
        ("[(1 / 0)] | length", "division_by_zero"),
    ],
)
def test_what_always_fails_is_a_warning(expression: str, code: str) -> None:
    assert codes(expression) == [("warning", code)]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("input.n > 1 and 1 / 0 > 2", "division_by_zero"),
        ("not (1 < null)", "type_mismatch"),
    ],
)
def test_a_condition_that_always_fails_is_a_problem(expression: str, code: str) -> None:
    assert [found for _, found in codes(expression, field="condition")] == [code]


@pytest.mark.parametrize(
    "expression",
    [
        "true or 1 / 0 > 1",
        "1 || 1 / 0",
        "input.n / (3 - 2)",
        "input.t | truncate(3 * 2)",
        "[1, 2] | join(', ')",
        "input.n in [1, 2]",
        "(null || 'a') | upper",
        "input.n | round(20)",
        "4 / 2 + input.n",
    ],
)
def test_what_may_succeed_is_fine(expression: str) -> None:
    assert codes(expression) == []


@pytest.mark.parametrize("expression", ["1 + 'a'", "'a' | round", "[1] | join(3)"])
def test_what_is_an_error_is_stated_once(expression: str) -> None:
    assert codes(expression) == [("error", "type_mismatch")]


@pytest.mark.parametrize("expression", ["steps.t.output + 1", "steps.t.output | upper"])
def test_a_value_that_is_null_and_nothing_else_fails_where_null_does(expression: str) -> None:
    assert codes(expression) == [("warning", "may_be_null")]


def test_the_work_of_all_checks_together_is_bounded() -> None:
    # given expressions of which each makes a megabyte of a few characters
    doubled = "{{ ('" + '"' + "' " + "| json " * 18 + ") / 0 }}"
    text = parse_template(doubled)
    trial = Trial()
    assert [each.code for each in certain_failures(parse_template("{{ 1 / 0 }}"), trial)] == ["division_by_zero"]
    for _ in range(3):
        list(certain_failures(text, trial))
    # then no further one is worked out, and small ones still are
    assert list(certain_failures(parse_template("{{ ('" + "x" * 300 + "' | upper) / 0 }}"), trial)) == []
    assert [each.code for each in certain_failures(parse_template("{{ 1 / 0 }}"), trial)] == ["division_by_zero"]
