"""`max_running` with a key, and `priority`: what may be written, what is located, and how it is printed."""

import pytest

from domain.language import definition_document, load_definition, parse_definition, print_definition
from domain.refusal import Problem

TEXT = """name: p
input:
  customer: {{type: string}}
  all: {{type: array}}
  turn: {{type: integer, default: 0}}
  number: {{type: string, sensitive: true}}
max_running: {limit}
priority: {priority}
steps: [{{id: a, agent: echo, message: hello}}]
"""
PER = '{limit: 3, per: "{{ input.customer }}"}'
TURN = '"{{ input.turn }}"'


def problems(limit: str, priority: str = "0") -> list[Problem]:
    return list(parse_definition(TEXT.format(limit=limit, priority=priority)).problems)


@pytest.mark.parametrize("limit", ["5", "{limit: 5}", PER])
@pytest.mark.parametrize("priority", ["-100", "100", TURN, '"{{ input.turn * 10 }}"', '"{{ input.turn || 5 }}"'])
def test_what_is_written_is_printed_and_read_again(limit: str, priority: str) -> None:
    parsed = parse_definition(TEXT.format(limit=limit, priority=priority))
    assert parsed.problems == []
    assert parsed.definition is not None
    assert parse_definition(print_definition(parsed.definition)).definition == parsed.definition
    assert load_definition(definition_document(parsed.definition)) == parsed.definition


@pytest.mark.parametrize(
    ("limit", "code", "path"),
    [
        ("{limit: 0}", "out_of_range", "max_running.limit"),
        ('{limit: "3"}', "wrong_type", "max_running.limit"),
        ('{per: "{{ input.customer }}"}', "missing_field", "max_running.limit"),
        ("{limit: 3, per: 5}", "wrong_type", "max_running.per"),
        ("{limit: 3, per: customer}", "invalid_value", "max_running.per"),
        ('{limit: 3, per: "{{ input.custmer }}"}', "unknown_input", "max_running.per"),
        ('{limit: 3, per: "{{ steps.a.output }}"}', "unknown_root", "max_running.per"),
        ('{limit: 3, per: "{{ trigger.type }}"}', "unknown_root", "max_running.per"),
        ('{limit: 3, per: "{{ input.all }}"}', "type_mismatch", "max_running.per"),
        ('{limit: 3, per: "{{ input.number }}"}', "sensitive_misplaced", "max_running.per"),
        ('{limit: 3, per: "{{ input.customer"}', "expression_syntax", "max_running.per"),
        ("[3]", "wrong_type", "max_running"),
    ],
)
def test_a_mistake_in_the_limit_is_located(limit: str, code: str, path: str) -> None:
    (found,) = problems(limit)
    assert (found.code, found.path, found.line) == (code, path, 7)


@pytest.mark.parametrize(
    ("priority", "code"),
    [
        ("101", "out_of_range"),
        ("-101", "out_of_range"),
        ("1.5", "wrong_type"),
        ("high", "wrong_type"),
        ("true", "wrong_type"),
        ('"{{ input.customer }}"', "type_mismatch"),
        ('"{{ input.trun }}"', "unknown_input"),
        ('"{{ execution.id }}"', "unknown_root"),
        ('"{{ input | length }}"', "sensitive_misplaced"),
    ],
)
def test_a_mistake_in_the_priority_is_located(priority: str, code: str) -> None:
    (found,) = problems("5", priority)
    assert (found.code, found.path, found.line) == (code, "priority", 8)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("{limit: 3, by: x}", "per"), ("{limit: 3, key: x}", "per"), ("{limit: 3, size: 4}", "limit")],
)
def test_other_words_lead_to_the_keys(written: str, meant: str) -> None:
    (found,) = problems(written)
    assert (found.code, found.hint) == ("unknown_key", f"did you mean `{meant}`?")


def test_words_of_other_engines_lead_to_the_priority() -> None:
    (found,) = parse_definition("name: p\nurgency: 5\nsteps: [{id: a, agent: echo, message: hello}]\n").problems
    assert (found.code, found.hint) == ("unknown_key", "did you mean `priority`?")
