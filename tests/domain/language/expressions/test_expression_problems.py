"""Examples of every way an expression cannot be read or has no value, with code, place and hint."""

import pytest

from domain.language.expressions import (
    EvaluationFailed,
    ExpressionProblem,
    Scope,
    parse_condition,
    parse_template,
    parse_value,
)

SCOPE: Scope = {
    "input": {
        "n": 7,
        "word": "hello",
        "nothing": None,
        "list": [1, 2],
        "texts": ["1", "2"],
        "object": {"a": 1},
        "huge": 2**63 - 1,
        "json": '{"a": 1}',
        "broken": '{"a": ',
        "two": "```\n{}\n```\n```\n{}\n```",
        "deep": '{"a":' * 100 + "1" + "}" * 100,
        "million": "x" * 1_000_000,
    },
    "steps": {"draft": {"output": {"text": "no json"}, "status": "completed"}},
}


@pytest.mark.parametrize(
    ("text", "code", "offset", "hint"),
    [
        ("", "expression_syntax", 0, None),
        ("   ", "expression_syntax", 3, None),
        ("input.n ==", "expression_syntax", 10, None),
        ("input.n = 7", "expression_syntax", 8, "=="),
        ("input.n && true", "expression_syntax", 8, "and"),
        ("!input.n", "expression_syntax", 0, "not"),
        ("input.n AND true", "expression_syntax", 8, "write and"),
        ("1 == 1 == 1", "expression_syntax", 7, "chain"),
        ("1 not in [1]", "expression_syntax", 2, "not (a in b)"),
        ("1 == not true", "expression_syntax", 5, "parentheses"),
        ("input.word.upper()", "expression_syntax", 16, "filter"),
        ("(1 == 1", "expression_syntax", 7, "')'"),
        ("[1, 2", "expression_syntax", 5, "','"),
        ("[1 2]", "expression_syntax", 3, "','"),
        ("'open", "expression_syntax", 0, "close"),
        (r"'a\q'", "expression_syntax", 2, "backslash"),
        ("input.", "expression_syntax", 6, "[0]"),
        ("input.0", "expression_syntax", 6, "[0]"),
        ("input[-1]", "expression_syntax", 6, "last"),
        ("input[1.5]", "expression_syntax", 6, "whole number"),
        ("input[input.n]", "expression_syntax", 6, "key in quotes"),
        ("12ab", "expression_syntax", 0, "number"),
        ("input.n # 1", "expression_syntax", 8, None),
        ("input.n | 3", "expression_syntax", 10, "||"),
        ("'{{ input.word }}' == 'hello'", "expression_syntax", 0, "quotes away"),
        ("{{ input.n == 7", "expression_syntax", 15, "'}}'"),
        ("imput.n == 7", "unknown_root", 0, "'input'"),
        ("input.word == hello", "unknown_root", 14, "quotes"),
        ("input.word | uper", "unknown_filter", 13, "'upper'"),
        ("input.word | zzz", "unknown_filter", 13, "truncate"),
        ("input.word | upper(1)", "filter_arguments", 13, None),
        ("input.word | truncate", "filter_arguments", 13, "truncate("),
        ("input.word | default(1, 2)", "filter_arguments", 13, "default("),
        ("9223372036854775808 == 1", "number_out_of_range", 0, None),
        ("1e999 == 1", "number_out_of_range", 0, None),
        ("9" * 4_096, "number_out_of_range", 0, None),
        ("1" + " " * 4_096, "expression_too_long", 4_096, None),
        ("(" * 33 + "1" + ")" * 33, "expression_too_deep", 32, None),
        ("[" * 1_000, "expression_too_deep", 32, None),
        ("not " * 1_000 + "true", "expression_too_deep", 128, None),
        ("-" * 1_000 + "1", "expression_too_deep", 32, None),
        ("+".join("1" * 129), "expression_too_large", 255, None),
        ("1" + "|json" * 256, "expression_too_large", 1_277, None),
    ],
)
def test_a_text_that_is_no_condition_is_refused(text: str, code: str, offset: int, hint: str | None) -> None:
    with pytest.raises(ExpressionProblem) as refused:
        parse_condition(text)

    assert (refused.value.code, refused.value.offset) == (code, offset)
    assert hint is None or hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("text", "code", "offset"),
    [
        ("Hi {{ input.word", "expression_syntax", 3),
        ("Hi {{ 'a }}", "expression_syntax", 6),
        ("{{ }}", "expression_syntax", 3),
        ("ok {{ input.n }} and {{ inputs.n }}", "unknown_root", 24),
        ("{{ {{ input.n }} }}", "expression_syntax", 3),
        ("{{{ input.n }}}", "expression_syntax", 2),
        ("{{ 1" + " " * 4_096 + "}}", "expression_too_long", 0),
        ("x" * 65_537, "expression_too_long", 65_536),
    ],
)
def test_a_text_that_is_no_template_is_refused(text: str, code: str, offset: int) -> None:
    with pytest.raises(ExpressionProblem) as refused:
        parse_template(text)

    assert (refused.value.code, refused.value.offset) == (code, offset)


def test_the_largest_expressions_allowed_are_read_and_evaluated() -> None:
    deep = "(" * 32 + "1" + ")" * 32
    assert parse_template(f"{{{{{deep}}}}}").render({}) == 1
    assert parse_template("{{" + "+".join("1" * 128) + "}}").render({}) == 128
    assert parse_template("{{" + "1" + " " * 4_095 + "}}").render({}) == 1


def test_a_problem_in_a_nested_value_says_where() -> None:
    with pytest.raises(ExpressionProblem) as refused:
        parse_value({"a": [1, {"b": "{{ nope }}"}]})

    assert refused.value.where == ("a", 1, "b")
    assert refused.value.offset == 3


def test_a_value_nested_without_end_is_refused() -> None:
    value: list[object] = []
    for _ in range(5_000):
        value = [value]

    with pytest.raises(ExpressionProblem) as refused:
        parse_value(value)  # type: ignore[arg-type]

    assert refused.value.code == "expression_too_deep"


@pytest.mark.parametrize(
    ("expression", "code", "message", "hint"),
    [
        ("input.wrod", "unknown_path", "input.wrod is unknown: input has no 'wrod'", "'word'"),
        ("input.object.b.c", "unknown_path", "input.object.b is unknown", "'a'"),
        ("input.list[5]", "unknown_path", "input.list[5] is unknown: input.list has 2 items", None),
        ("input.list.a", "unknown_path", "input.list is a list", "[0]"),
        ("input.object[0]", "unknown_path", "input.object is an object", None),
        ("input.nothing.a", "unknown_path", "input.nothing is null", None),
        ("input.n.a", "unknown_path", "input.n is a number", None),
        ("input.json.b", "unknown_path", "input.json has no 'b'", "'a'"),
        ("input.broken.a", "unknown_path", "holds no JSON object", None),
        ("input.two.a", "unknown_path", "holds no JSON object", None),
        ("input.word[0]", "unknown_path", "input.word is text", None),
        ("input.n-1", "unknown_path", "input.n-1 is unknown", "spaces"),
        ("steps.daft.output", "unknown_path", "steps.daft is unknown", "'draft'"),
        ("steps.draft.output.text.score", "unknown_path", "steps.draft.output.text is text", None),
        ("trigger.type", "unknown_path", "trigger is unknown", "'input'"),
        ("input.n == '7'", "type_mismatch", "== cannot compare a number with text", "without quotes"),
        ("'7' != input.n", "type_mismatch", "!= cannot compare text with a number", "without quotes"),
        ("input.n < '7'", "type_mismatch", "< cannot compare a number with text", None),
        ("true == 1", "type_mismatch", "a boolean with a number", None),
        ("input.nothing < 1", "type_mismatch", "null with a number", None),
        ("true < false", "type_mismatch", "a boolean with a boolean", None),
        ("[1] < [2]", "type_mismatch", "a list with a list", None),
        ("input.n in input.texts", "type_mismatch", "a number among texts", None),
        ("'a' in input.object", "type_mismatch", "text in an object", "keys"),
        ("1 in input.word", "type_mismatch", "a number in text", None),
        ("'a' + 'b'", "type_mismatch", "+ adds numbers, not text", "template"),
        ("1 + 'b'", "type_mismatch", "+ needs a number, not text", None),
        ("true * 2", "type_mismatch", "* needs a number, not a boolean", None),
        ("-'a'", "type_mismatch", "- needs a number, not text", None),
        ("1 / 0", "division_by_zero", "division by zero", None),
        ("1.5 / 0.0", "division_by_zero", "division by zero", None),
        ("9223372036854775807 + 1", "number_out_of_range", "too large", None),
        ("input.huge * input.huge", "number_out_of_range", "too large", None),
        ("1e308 * 10", "number_out_of_range", "too large", None),
        ("1 and true", "not_a_boolean", "and needs true or false, not a number", None),
        ("input.word or true", "not_a_boolean", "or needs true or false, not text", None),
        ("not null", "not_a_boolean", "not needs true or false, not null", None),
        ("1 | length", "type_mismatch", "length needs text, a list or an object, not a number", None),
        ("1 | upper", "type_mismatch", "upper needs text, not a number", None),
        ("null | lower", "type_mismatch", "lower needs text, not null", "default"),
        ("[] | trim", "type_mismatch", "trim needs text", None),
        ("[] | truncate(1)", "type_mismatch", "truncate needs text", None),
        ("'a' | truncate('b')", "type_mismatch", "truncate needs a whole number", None),
        ("'a' | truncate(0)", "invalid_argument", "truncate needs an argument from 1", None),
        ("'a' | join('b')", "type_mismatch", "join needs a list", None),
        ("[1] | join(1)", "type_mismatch", "join needs text as separator", None),
        ("'a' | round(1)", "type_mismatch", "round needs a number", None),
        ("1.5 | round(1.5)", "type_mismatch", "round needs a whole number", None),
        ("1.5 | round(21)", "invalid_argument", "round needs an argument from 0 to 20", None),
        ("input.object | first", "type_mismatch", "first needs a list", None),
        ("'a' | last", "type_mismatch", "last needs a list", None),
        ("[1] | keys", "type_mismatch", "keys needs an object", None),
        ("input.deep.a", "result_too_deep", "64 deep", None),
        ("input.deep.a == input.deep.a", "result_too_deep", "64 deep", None),
        ("[input.million, input.million] | json", "result_too_large", "1048576 bytes", None),
        ("[1, 2, 3] | join(input.million)", "result_too_large", "1048576 bytes", None),
    ],
)
def test_an_expression_without_a_value_fails(expression: str, code: str, message: str, hint: str | None) -> None:
    template = parse_template(f"{{{{ {expression} }}}}")

    with pytest.raises(EvaluationFailed) as failed:
        template.render(SCOPE)

    assert failed.value.code == code
    assert message in failed.value.message
    assert hint is None or hint in (failed.value.hint or "")


def test_a_failure_points_into_the_text() -> None:
    with pytest.raises(EvaluationFailed) as failed:
        parse_template("Dear {{ input.word }}, {{ input.nam }}").render(SCOPE)

    assert failed.value.offset == 26


@pytest.mark.parametrize("text", ["{{ input.million }}{{ input.million }}", "{{ input.million }}" * 3_000])
def test_a_text_grown_too_large_fails(text: str) -> None:
    with pytest.raises(EvaluationFailed) as failed:
        parse_template(text).render(SCOPE)

    assert failed.value.code == "result_too_large"


def test_the_limit_of_a_text_counts_bytes() -> None:
    scope: Scope = {"input": {"within": "é" * (1 << 19), "beyond": "é" * (1 << 19) + "e"}}

    assert parse_template("{{ input.within }}").render(scope) == "é" * (1 << 19)
    with pytest.raises(EvaluationFailed):
        parse_template("{{ input.beyond }}").render(scope)


def test_only_true_and_false_answer_a_condition() -> None:
    with pytest.raises(EvaluationFailed) as failed:
        parse_condition("input.n").evaluate(SCOPE)

    assert failed.value.code == "not_a_boolean"


def test_values_never_stand_in_messages() -> None:
    scope: Scope = {"input": {"token": "s3cret"}}

    for expression in (
        "input.token + 1",
        "input.token == 1",
        "input.token.a",
        "input.token | first",
        "not input.token",
    ):
        with pytest.raises(EvaluationFailed) as failed:
            parse_template(f"{{{{ {expression} }}}}").render(scope)
        assert "s3cret" not in f"{failed.value} {failed.value.hint}"
