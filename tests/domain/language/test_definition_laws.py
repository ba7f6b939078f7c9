"""Laws of the language: printing and parsing agree, documents load and meet the schema, any text gets an answer."""

from typing import Any

import jsonschema_rs
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.language import (
    Parsed,
    definition_document,
    json_schema,
    load_definition,
    parse_definition,
    print_definition,
)
from domain.language.types.definition import Definition
from domain.refusal import Problem
from tests.domain.language.drawn_definitions import definitions, values

SCHEMA = jsonschema_rs.validator_for(json_schema(), offline=True)
SEED = """\
name: review
version: 1.10
labels: [a, b]
input: {topic: {type: string, required: true}, n: {type: integer, default: 3}}
costs: {daily: {amount: 5.00, currency: USD, warn_at: 0.8}, weekly: [{amount: "9", currency: USD}], week_starts: sun}
triggers:
- {type: manual, id: by-hand, input: {n: 2}}
- {type: schedule, id: nightly, cron: "0 3 * * mon-fri", timezone: Europe/Berlin, dst: {gap: skip}, input: {topic: x}}
- {type: schedule, id: monthly, preset: monthly, day: 31, at: "9:00", ends_at: "2027-01-01T00:00Z", input: {topic: x}}
steps:
- {id: a, agent: writer, message: "Hello {{ input.topic }}"}
- id: b
  depends_on: a
  condition: steps.a.output.text == "x"
  roles: {executor: editor, monitors: [boss]}
  message: "{{ steps.a.output }}"
  output_schema: {type: object, required: [z]}
  retry: {max_attempts: 3, initial_delay: 2s}
  on_error: {action: goto_step, target_step: d}
- {id: c, type: gateway, depends_on: b, routes: [{expression: 1 < 2, next: d}], default_route: e}
- {id: d, type: timer, config: {delay: 5m}, timeout: 1h, on_timeout: {goto: e}}
- {id: f, type: sub_process, process_name: other, input_mapping: {n: "{{ input.n }}"}, wait_for_completion: false}
- {id: g, type: notification, channels: email, recipients: a@x.org, message: x, compensation: {agent: w, message: x}}
- id: h
  type: sub_process
  for_each: {items: [1, "{{ input.n }}"], as: number, key: "n{{ number }}", on_error: skip}
  steps: [{id: a, agent: w, message: "{{ input.number }}"}, {id: l, type: sub_process, process: q, depends_on: a}]
  outputs: {a: steps.a.output}
- id: i
  type: sub_process
  repeat: {until: last.output.a == round, delay: 1s, carry: {x: "{{ last.output.a }}"}, on_exhausted: accept}
  input: {x: {type: integer}}
  steps: [{id: a, agent: w, message: "{{ input.x || 0 }}"}]
  outputs: [{name: a, source: 1}]
- {id: e, type: timer, until: "2026-01-31T09:00", timezone: UTC}
outputs: {result: "{{ steps.b.output }}"}
"""


@given(definitions())
@settings(max_examples=75, deadline=None)
def test_a_printed_definition_is_read_as_the_same(definition: Definition) -> None:
    parsed = parse_definition(print_definition(definition))
    # Drawn expressions read what may not be there, and drawn gateways have timeouts.
    assert {problem.code for problem in parsed.problems} <= {"may_be_skipped", "unused_field"}
    assert parsed.definition == definition


@given(definitions())
@settings(max_examples=40, deadline=None)
def test_a_stored_document_loads_as_the_same_and_meets_the_schema(definition: Definition) -> None:
    document = definition_document(definition)
    assert load_definition(document) == definition
    assert definition_document(load_definition(document)) == document
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


def test_the_schema_knows_the_short_forms_and_says_no_to_wrong_types() -> None:
    assert SCHEMA.is_valid(yaml.safe_load(SEED))
    other = {"name": "p", "steps": [{"id": "a", "agent": "w", "message": "x"}], "outputs": [{"name": "x", "value": 1}]}
    assert SCHEMA.is_valid(other)
    assert not SCHEMA.is_valid({**other, "steps": [{"id": "a", "message": "x"}]})
    assert not SCHEMA.is_valid({**other, "outputs": [{"name": "x"}]})
    assert not SCHEMA.is_valid({"name": "p"})


def sound(parsed: Parsed) -> None:
    assert (parsed.definition is None) == bool(parsed.errors)
    assert parsed.definition is None or parsed.name == parsed.definition.name
    assert not parsed.fatal or parsed.errors
    for problem in parsed.problems:
        assert isinstance(problem, Problem)
        assert problem.code
        assert problem.message
        assert len(problem.message) < 600
        assert len(problem.path) < 1_000
        assert problem.line is None or problem.line >= 1


@given(st.text(max_size=200) | st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_answered_with_problems(source: str | bytes) -> None:
    sound(parse_definition(source))


@given(st.text(st.sampled_from("[]{}:,-?&*a#|>'\"!% \n\t0.~<"), max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_punctuation_is_answered_with_problems(source: str) -> None:
    sound(parse_definition(source))
    sound(parse_definition("name: p\nsteps:\n" + source))


@given(
    st.integers(0, len(SEED)),
    st.integers(0, 12),
    st.text(st.sampled_from("[]{}:,-a1'\"\n |.") | st.characters(), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_a_mutilated_definition_is_answered_with_problems(start: int, length: int, put: str) -> None:
    sound(parse_definition(SEED[:start] + put + SEED[start + length :]))


KINDS = ("timer", "gateway", "agent_task", "sub_process", "notification")
WORDS = ["name", "steps", "id", "agent", "roles", "executor", "monitors", "input", "outputs", "type", "depends_on"]
WORDS += ["timeout", "retry", "on_error", "on_timeout", "action", "goto", "goto_step", "routes", "target", "defaults"]
WORDS += ["cron", "preset", "at", "on", "day", "dst", "starts_at", "costs", "daily", "warn_at", "currency", "jitter"]
WORDS += ["compensation", "channel", "channels", "recipients", "url", "process", "version", "input_mapping", "wait"]
WORDS += ["duration", "until", "timezone", "config", "max_cost", "amount", "retry_on", "default_route"]
WORDS += ["for_each", "repeat", "items", "as", "key", "max_parallel", "carry", "max", "delay", "on_exhausted"]
WORDS += [
    "condition",
    "message",
    "default",
    "enum",
    "triggers",
    "source",
    "value",
    "output_schema",
    "parameters",
    "required",
]


def _known_words(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(WORDS), inner | st.lists(inner, max_size=3), max_size=6)


@given(st.recursive(values, _known_words, max_leaves=15))
@settings(max_examples=80, deadline=None)
def test_any_shape_of_known_words_is_answered_with_problems(shape: Any) -> None:
    sound(parse_definition(yaml.safe_dump({"name": "p", "steps": shape, "outputs": shape, "input": shape})))
    sound(
        parse_definition(
            yaml.safe_dump({"name": "p", "steps": [shape, shape], "triggers": [shape], "outputs": [shape]})
        )
    )
    if isinstance(shape, dict):
        steps = [{**shape, "id": f"s{at}", "type": kind} for at, kind in enumerate(KINDS)]
        sound(parse_definition(yaml.safe_dump({"name": "p", "steps": steps, "defaults": shape})))
        triggers = [{**shape, "type": "schedule"}]
        sound(parse_definition(yaml.safe_dump({"name": "p", "steps": [], "triggers": triggers, "costs": shape})))
