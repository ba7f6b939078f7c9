"""Examples of every operator, filter and literal, evaluated in one scope."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.expressions import JSON, EvaluationFailed, Scope, parse_condition, parse_template


class Lazy(Mapping[str, object]):
    """A mapping that is no dict, as the engine gives for steps."""

    def __init__(self, **entries: object) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> object:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


SCOPE: Scope = {
    "input": {
        "n": 7,
        "zero": 0,
        "half": 0.5,
        "word": "hello",
        "nothing": None,
        "yes": True,
        "no": False,
        "list": [1, 2, 3],
        "names": ["ann", "bob"],
        "first key": {"größe": 3},
        "in": "keyword",
        "a-b": "hyphen",
        "a": 5,
        "b": 3,
    },
    "steps": Lazy(
        review=Lazy(
            output={"text": '{"score": 0.9, "tags": ["x", "y"]}', "items": [{"key": "found"}]},
            status="completed",
            cost=Decimal("0.10"),
            duration=timedelta(seconds=90),
            started_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            completed_at=datetime(2026, 3, 1, 12, 1, 30, 500_000, tzinfo=UTC),
        ),
        fenced=Lazy(output='Here it is:\n```json\n{"verdict": "good"}\n```\nBye.'),
    ),
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("input.n", 7),
        ("input['first key']['größe']", 3),
        ("input['first key'].größe", 3),
        ("input.in", "keyword"),
        ("input.a-b", "hyphen"),
        ("input.a - input.b", 2),
        ("input.list[2]", 3),
        ("steps.review.status", "completed"),
        ("steps.review.output.items[0]['key']", "found"),
        ("steps.review.output.text", '{"score": 0.9, "tags": ["x", "y"]}'),
        ("steps.review.output.text.score", 0.9),
        ("steps.review.output.text.tags[1]", "y"),
        ("steps.fenced.output.verdict", "good"),
        ("steps.review.cost", Decimal("0.10")),
        ("steps.review.duration", 90),
        ("steps.review.started_at", "2026-03-01T12:00:00Z"),
        (r"'it\'s'", "it's"),
        (r'"a\\b\"c\n\t"', 'a\\b"c\n\t'),
        ("'{{'", "{{"),
        ("'}}'", "}}"),
        ("42", 42),
        ("1.5e2", 150.0),
        ("-3", -3),
        ("- -3", 3),
        ("true", True),
        ("False", False),
        ("None", None),
        ("[1, 'a', input.n, []]", [1, "a", 7, []]),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("6 / 3", 2),
        ("7 / 2", 3.5),
        ("-7 / 2", -3.5),
        ("1 + 0.5", 1.5),
        ("steps.review.cost * 3", Decimal("0.30")),
        ("steps.review.cost + 0.1", Decimal("0.20")),
        ("steps.review.duration + 30", 120),
        ("input.gone || 'else'", "else"),
        ("input.nothing || 'else'", "else"),
        ("input.zero || 'else'", 0),
        ("input.no || true", False),
        ("input.gone || input.nothing || 3", 3),
        ("input.gone || 2 + 3", 5),
        ("input.gone + 1 || 4", 4),
        ("input.gone | default('x')", "x"),
        ("input.gone | default:'x'", "x"),
        ("input.gone.deeper[3].still | default: input.n", 7),
        ("input.gone | default:-2.6 | round", -3),
        ("input.nothing | default(1 + 1)", 2),
        ("input.word | default(input.gone)", "hello"),
        ("input.list | json", "[1,2,3]"),
        ("input.word | json", '"hello"'),
        ("input.word | length", 5),
        ("input.list | length", 3),
        ("input | length", 14),
        ("input.word | upper | lower", "hello"),
        ("input.word | upper", "HELLO"),
        ("'  x ' | trim", "x"),
        ("input.word | truncate(5)", "hello"),
        ("input.word | truncate:4", "hel…"),
        ("input.word | truncate(1)", "…"),
        ("input.names | join(', ')", "ann, bob"),
        ("[1, null, true, 'a', [2]] | join:'-'", "1-null-true-a-[2]"),
        ("[] | join('x')", ""),
        ("2.345 | round(2)", 2.35),
        ("2.5 | round", 3),
        ("-2.5 | round", -3),
        ("7 | round(2)", 7),
        ("steps.review.cost | round(1)", Decimal("0.1")),
        ("input.list | first", 1),
        ("input.list | last", 3),
        ("[] | first", None),
        ("[] | last", None),
        ("input['first key'] | keys", ["größe"]),
        ("steps | keys", ["review", "fenced"]),
    ],
)
def test_a_lone_hole_gives_the_value_and_its_type(expression: str, value: JSON) -> None:
    result = parse_template(f"{{{{ {expression} }}}}").render(SCOPE)

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("input.n == 7", True),
        ("input.n == 7.0", True),
        ("input.n != 7", False),
        ("input.word == 'hello'", True),
        ("input.word != 'hello'", False),
        ("input.nothing == null", True),
        ("input.word == null", False),
        ("null != input.list", True),
        ("input.yes == true", True),
        ("input.list == [1, 2, 3]", True),
        ("input.list == [1, 2, '3']", False),
        ("[true] == [1]", False),
        ("input['first key'] == input['first key']", True),
        ("input.n < 8", True),
        ("input.n <= 7", True),
        ("input.n > 7", False),
        ("input.n >= 7.5", False),
        ("'a' < 'b'", True),
        ("steps.review.cost == 0.1", True),
        ("steps.review.cost <= 0.1", True),
        ("steps.review.duration > 60", True),
        ("steps.review.started_at < steps.review.completed_at", True),
        ("steps.review.started_at == '2026-03-01T13:00:00+01:00'", True),
        ("'2026-03-02T00:00:00Z' > steps.review.started_at", True),
        ("2 in input.list", True),
        ("'zed' in input.names", False),
        ("'ell' in input.word", True),
        ("input.list contains 2", True),
        ("input.word contains 'ello'", True),
        ("'b' in [1, 'a']", False),
        ("null in [1]", False),
        ("1 in []", False),
        ("not input.no", True),
        ("not input.n == 8", True),
        ("not not input.yes", True),
        ("input.yes and input.no", False),
        ("input.yes or input.no", True),
        ("true or input.gone", True),
        ("false and input.gone", False),
        ("true or true and false", True),
        ("(true or true) and false", False),
        ("not true or true", True),
        ("input.gone || 'x' == 'x'", True),
        ("input.n + 1 == 2 * 4", True),
        ("input.word | length == 5", True),
        ("{{ input.n }} == 7", True),
        ("{{input.word}} == 'hello' and {{ input.n }} > {{ input.zero }}", True),
        ("{{ input.n == 7 }}", True),
        ("  input.yes\n and\n input.n == 7 ", True),
    ],
)
def test_a_condition_holds_or_does_not(expression: str, holds: bool) -> None:
    assert parse_condition(expression).evaluate(SCOPE) is holds


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain }} text", "plain }} text"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("Hi {{ input.word }}!", "Hi hello!"),
        ("{{ input.n }}{{ input.n }}", "77"),
        (" {{ input.n }}", " 7"),
        ("= {{ input.half }}", "= 0.5"),
        ("= {{ input.yes }}", "= true"),
        ("= {{ input.nothing }}", "= null"),
        ("= {{ input.list }}", "= [1,2,3]"),
        ("= {{ input['first key'] }}", '= {"größe":3}'),
        ("= {{ steps.review.cost }}", "= 0.10"),
        ("= {{ [steps.review.cost] }}", '= ["0.10"]'),
        ("= {{ steps.review.started_at }}", "= 2026-03-01T12:00:00Z"),
        ("= {{ steps.review.duration }}", "= 90"),
        ("literal {{ '{{' }} and {{ '}}' }}", "literal {{ and }}"),
        ("{{ '{{ not read again }}' }}.", "{{ not read again }}."),
    ],
)
def test_a_text_prints_the_values_in_it(text: str, rendered: str) -> None:
    assert parse_template(text).render(SCOPE) == rendered


def test_a_lazy_mapping_leaves_the_scope_as_plain_json() -> None:
    rendered = parse_template("{{ steps.review }}").render(SCOPE)

    assert type(rendered) is dict
    assert rendered["started_at"] == "2026-03-01T12:00:00Z"
    assert rendered["duration"] == 90
    assert rendered["cost"] == Decimal("0.10")


def test_a_rendered_value_shares_nothing_with_the_scope() -> None:
    scope = {"input": {"list": [1]}}

    rendered = parse_template("{{ input.list }}").render(scope)
    assert isinstance(rendered, list)
    rendered.append(2)

    assert scope == {"input": {"list": [1]}}


@pytest.mark.parametrize("digits", ["1.2345678901234567890123456789012345678901", "-0.1", "0", "-0", "7e-30"])
def test_a_minus_keeps_every_digit(digits: str) -> None:
    negated = parse_template("{{ - input.a }}").render({"input": {"a": Decimal(digits)}})
    expected = digits.removeprefix("-") if digits.startswith("-") or digits == "0" else f"-{digits}"
    assert str(negated) == str(Decimal(expected))


def test_a_minus_before_what_is_no_number_fails() -> None:
    with pytest.raises(EvaluationFailed):
        parse_template("{{ - input.a }}").render({"input": {"a": Decimal("sNaN")}})
