"""Laws of the language, tried on texts and scopes nobody thought of."""

import pickle
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.expressions import (
    EvaluationFailed,
    ExpressionProblem,
    json_object_in,
    parse_condition,
    parse_template,
    parse_value,
)

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split(" "))


PIECES = words(
    "{{ }} ( ) [ ] . , | || : + - * / == != < <= > >= in contains and or not true null 0 1 1.5 9e999 'a' \"b\" ' \\ "
    "input steps input.a input['a'] input.b[0] steps.s.output default json length upper lower trim truncate join round "
    "first last keys input.a-b \x00 \ud800 é"
)
SOUP = st.lists(PIECES, max_size=40).map(" ".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | ANY_TEXT
    | st.just('{"a": [1, {"b": null}]}'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c"]) | ANY_TEXT, inner),
    max_leaves=8,
)
LEAVES = st.just("[1, 'a']") | words(
    "1 0 2.5 'a' '' true false null 9223372036854775807 1e308 "
    "input input.a input.b input.a.b input.a[0] input['c'] steps.s.output input.gone.far"
)
OPERATORS = words("or and == != < <= > >= in contains || + - * /")
FILTERS = words(
    "json length upper lower trim first last keys default(1) default:'x' truncate(2) join(',') round round(2)"
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({} {} {})".format, inner, OPERATORS, inner)
        | st.builds("({} | {})".format, inner, FILTERS)
        | st.builds("(not {})".format, inner)
        | st.builds("(- {})".format, inner)
        | st.builds("[{}, {}]".format, inner, inner)
    ),
    max_leaves=8,
)


def problem_of(read: Callable[[str], object], text: str) -> ExpressionProblem | None:
    """What is wrong with a text, if anything; every other exception passes."""
    try:
        read(text)
    except ExpressionProblem as problem:
        return problem
    return None


def outcome(evaluate: Callable[[Mapping[str, object]], object], scope: Mapping[str, object]) -> object:
    """The value, or the failure; every other exception passes."""
    try:
        return evaluate(scope)
    except EvaluationFailed as failed:
        return failed


@given(ANY_TEXT | SOUP)
def test_reading_any_text_gives_an_expression_or_a_problem_in_the_text(text: str) -> None:
    for read, source in ((parse_condition, text), (parse_template, text), (parse_template, f"{{{{{text}}}}}")):
        problem = problem_of(read, source)
        if problem is not None:
            assert 0 <= problem.offset <= len(source)
            assert f"{problem} {problem.hint}".encode()


@pytest.mark.parametrize(
    "piece", ["(", "[", "-", "not ", "{{", "1|", "'", "\\", "\ud800", "\x00", "9", "input.", "|x("]
)
@pytest.mark.parametrize("times", [100, 4_000, 60_000])
def test_endless_repetition_is_a_problem(piece: str, times: int) -> None:
    with pytest.raises(ExpressionProblem):
        parse_condition(piece * times)
    with pytest.raises(ExpressionProblem):
        parse_template("{{" + piece * (times // len(piece)))


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON), JSON)
def test_evaluating_gives_a_value_or_a_failure(expression: str, fields: dict[str, Any], output: Any) -> None:
    scope = {"input": fields, "steps": {"s": {"output": output}}}
    text = f"{{{{ {expression} }}}}"

    value = outcome(parse_template(text).render, scope)
    assert value is None or isinstance(value, bool | int | float | Decimal | str | list | dict | EvaluationFailed)
    assert isinstance(outcome(parse_template(f"= {text}").render, scope), str | EvaluationFailed)
    assert isinstance(outcome(parse_condition(expression).evaluate, scope), bool | EvaluationFailed)


@given(SOUP, st.dictionaries(st.sampled_from(["a", "b"]), JSON))
def test_whatever_was_read_can_be_evaluated(text: str, fields: dict[str, Any]) -> None:
    if problem_of(parse_condition, text) is None:
        result = outcome(parse_condition(text).evaluate, {"input": fields})
        assert isinstance(result, bool | EvaluationFailed)


@given(st.dictionaries(ANY_TEXT, JSON, min_size=1), st.data())
def test_a_lone_hole_equals_the_value_at_its_path(fields: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(fields)))
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")

    rendered = parse_template(f"{{{{ input['{quoted}'] }}}}").render({"input": fields})

    assert repr(rendered) == repr(fields[key])  # repr, for NaN is not equal to itself


@given(st.booleans(), st.booleans(), st.booleans())
def test_and_binds_tighter_than_or(a: bool, b: bool, c: bool) -> None:
    scope = {"input": {"a": a, "b": b, "c": c}}

    def holds(text: str) -> bool:
        return parse_condition(text).evaluate(scope)

    assert holds("input.a or input.b and input.c") is holds("input.a or (input.b and input.c)") is (a or (b and c))
    assert holds("input.a and input.b or input.c") is holds("(input.a and input.b) or input.c") is ((a and b) or c)
    assert holds("not input.a and input.b") is holds("(not input.a) and input.b") is ((not a) and b)


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(-99, 99))
def test_arithmetic_groups_from_the_left_and_products_first(a: int, b: int, c: int) -> None:
    scope = {"input": {"a": a, "b": b, "c": c}}

    assert parse_template("{{ input.a - input.b - input.c }}").render(scope) == a - b - c
    assert parse_template("{{ input.a - input.b * - input.c }}").render(scope) == a - b * -c


@given(st.lists(st.sampled_from([".a", ".b-c", "[0]", "['x y']"]), max_size=6), JSON)
def test_default_and_or_else_never_raise_unknown_path(rest: list[str], value: Any) -> None:
    path = "input" + "".join(rest)

    for text in (f"{{{{ {path} | default(1) }}}}", f"{{{{ {path} || 1 }}}}"):
        assert parse_template(text).render({"input": value}) is not None
        assert parse_template(text).render({}) == 1


@given(JSON)
def test_a_value_without_holes_is_constant(value: Any) -> None:
    # The few random values with a hole in them are not what this law is about.
    template = parse_value(value) if "{{" not in repr(value) else parse_value(None)

    assert template.constant
    assert template.paths == ()
    assert template.render({}) is template.value


def test_a_nested_value_is_rendered_everywhere_but_in_its_keys() -> None:
    value: dict[str, Any] = {
        "{{ key }}": ["{{ input.n }}", "n={{ input.n }}", 5, None],
        "plain": {"x": "y"},
        "o": {"z": "{{ input }}"},
    }

    template = parse_value(value)

    assert not template.constant
    assert [path.parts for path in template.paths] == [("input", "n"), ("input", "n"), ("input",)]
    expected = {"{{ key }}": [3, "n=3", 5, None], "plain": {"x": "y"}, "o": {"z": {"n": 3}}}
    assert template.render({"input": {"n": 3}}) == expected


def test_paths_are_found_where_they_stand() -> None:
    condition = parse_condition("steps.a-1.output['k k'][0] > 1 and (input.x | default(process.name)) in ['a']")

    assert [(path.parts, path.offset, str(path)) for path in condition.paths] == [
        (("steps", "a-1", "output", "k k", 0), 0, "steps.a-1.output['k k'][0]"),
        (("input", "x"), 36, "input.x"),
        (("process", "name"), 54, "process.name"),
    ]
    assert [path.offset for path in parse_template("Hi {{ input.a }} {{ input.b }}").paths] == [6, 20]


def test_a_failure_travels_between_processes_whole() -> None:
    with pytest.raises(EvaluationFailed) as failed:
        parse_template("{{ input.x }}").render({"input": {}})

    copy = pickle.loads(pickle.dumps(failed.value))

    assert (copy.code, copy.message, copy.hint) == ("unknown_path", failed.value.message, "it is empty")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": 1}\n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```JSON\r\n{"a": 1}\r\n```', {"a": 1}),
        ('```{"a": 1}```', {"a": 1}),
        ('Sure:\n```\n{"a": "```"}\n```\ndone', {"a": "```"}),
        ("[1]", None),
        ("```python\n{}\n```", None),
        ('```\n{"a": 1}\n```\nor\n```\n{"a": 2}\n```', None),
        ('{"a": 1} and more', None),
        ('{"a": "\ud800"}', None),
        ('{"a":' * 100_000, None),
        ("Blanks:\n```" + " " * 500_000 + "!\n```\n{}\n```", {}),
        ("", None),
    ],
)
def test_the_object_in_a_text(text: str, found: dict[str, Any] | None) -> None:
    assert json_object_in(text) == found
