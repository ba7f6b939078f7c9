"""The JSON Schema of the language says yes and no where reading does, as far as a schema can."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.language import definition_document, json_schema, parse_definition
from domain.language.reading.nodes import plain
from domain.language.reading.problems import Problems
from domain.language.reading.tree import read_tree
from domain.language.types.definition import Definition
from tests.domain.language.drawn_definitions import definitions

SCHEMA = jsonschema_rs.validator_for(json_schema(), offline=True)


@pytest.mark.parametrize(
    ("step", "valid"),
    [
        ("agent: w, message: x, timeout: 5, on_error: {action: skip_step}, on_timeout: {goto_step: b}", True),
        ("agent: w, message: x, on_error: explode", False),
        ("agent: w, message: x, retry: {max_attempts: 0}", False),
        ("agent: w, message: x, max_cost: {amount: 0.5, currency: USD}", True),
        ("type: timer, config: {delay: 5}", True),
        ("type: timer", False),
        ("type: timer, duration: 5, until: 2026-01-31T09:00Z", False),
        ("type: gateway, conditions: [{expression: true, next: b}]", True),
        ("type: gateway, routes: []", False),
        ("type: sub_process, process: q, version: 2, input_mapping: {x: 1}, on_parent_close: abandon", True),
        ("type: sub_process, process_name: q, wait_for_completion: false", True),
        ("type: sub_process", False),
        ("type: sub_process, process: q, version: 0", False),
        ("type: sub_process, process: q, on_parent_close: terminate", False),
        ("type: notification, channel: slack, message: x", True),
        ("type: notification, channels: [slack, email], message: x, recipients: a@x.org", True),
        ("type: notification, channel: [], message: x", False),
        ("type: notification, channel: sms, message: x", False),
        ("type: notification, message: x", False),
        ("agent: w, message: x, compensation: {agent: u, message: x, retry: {max_attempts: 2}}", True),
        ("agent: w, message: x, compensation: {type: notification, channels: slack, message: x}", True),
        ("agent: w, message: x, compensation: {message: x}", False),
        ("agent: w, message: x, compensation: {type: timer, duration: 1s}", False),
        ("type: gateway, routes: [{condition: x}]", False),
    ],
)
def test_the_schema_tells_timers_gateways_and_what_happens_otherwise(step: str, valid: bool) -> None:
    assert SCHEMA.is_valid(yaml.safe_load(f"name: p\nsteps: [{{id: a, {step}}}]")) is valid


def test_the_schema_knows_that_an_executor_may_be_given_by_default() -> None:
    source = "{name: p, defaults: {roles: {executor: w}}, steps: [{id: a, message: x}]}"
    assert SCHEMA.is_valid(yaml.safe_load(source))
    assert not SCHEMA.is_valid(yaml.safe_load(source.replace("executor: w", "monitors: [w]")))


def test_the_schema_knows_that_a_step_of_a_body_needs_an_executor() -> None:
    body = "steps: [{id: s, type: sub_process, steps: [{id: t, type: sub_process, steps: [{id: a, message: x}]}]}]"
    assert SCHEMA.is_valid(yaml.safe_load(f"{{name: p, defaults: {{roles: {{executor: w}}}}, {body}}}"))
    assert SCHEMA.is_valid(yaml.safe_load(f"{{name: p, {body.replace('message', 'agent: w, message')}}}"))
    assert not SCHEMA.is_valid(yaml.safe_load(f"{{name: p, {body}}}"))
    agree(f"{{name: p, {body}}}")


AGENT = "agent: w, message: x"
STEPS = [
    *(f"{AGENT}, {more}" for more in (
        "name: x", "roles: {monitors: x}", "roles: {monitors: [x], informed: y}", "roles: [x]", "depends_on: b",
        "depends_on: [b]", "depends_on: {b: 1}", "depends_on: 3", "condition: 1", "condition: true", "condition: []",
        "retry: {max_attempts: 2, retry_on: x}", "retry: {max_attempts: 2, give_up_on: [x]}", "retry: 3",
        "retry: {max_attempts: '2'}", "timeout: 5 min", "timeout: 1h 30m", "timeout: PT5M", "timeout: true",
        "timeout: 0", "timeout: 0.5", "on_error: skip", "on_error: {goto: b}", "on_error: {goto_step: b}",
        "on_error: 'goto: b'", "on_error: {action: skip_step}", "on_error: {action: x}", "on_error: 5",
        "on_error: {action: goto, target_step: b}", "parameters: []", "parameters: {a: 1}", "output_schema: 3",
        "max_cost: {amount: 1e1, currency: USD}", "max_cost: {amount: '1', currency: usd}", "heartbeat: 0",
        "max_cost: {amount: -1, currency: USD}", "max_cost: {amount: abc, currency: USD}", "max_cost: 3",
    )),
    *(f"type: human_approval, {more}" for more in (
        "approvers: a", "approvers: [a, 1]", "approvers: 'a b'", "artifacts: x", "artifacts: {a: 1}", "artifacts: [1]",
        "deadline: 1d, on_deadline: skip", "timeout: 1d, timeout_action: reject", "require_reason: yes",
        "deadline: 1d, on_deadline: x", "message: x, assignees: [a]", "title: 5",
    )),
    *(f"type: gateway, {more}" for more in (
        "routes: [{target: b, default: true}]", "routes: {target: b}", "gateway_type: x, routes: [{target: b}]",
        "routes: [{condition: 'true', next: b}], default_route: b", "routes: [{condition: 5, target: b}]", "routes: x",
    )),
    *(f"type: timer, {more}" for more in (
        "duration: 5", "delay: 5", "duration: '{{ execution.id }}'", "until: '2026-01-01T00:00Z'", "duration: -5",
        "duration: []", "config: {until: '2026-01-01T00:00Z'}", "config: {}", "duration: 12:30", "config: 5",
    )),
    *(f"type: notification, {more}" for more in (
        "channel: slack, message: x, recipients: 5", "channel: slack", "channel: [slack, slack], message: x",
        "channel: email, message: x, recipients: a@x.org",
    )),
    *(f"type: sub_process, process: {more}" for more in (
        "q, output_key: 'a b'", "Q", "q, wait: yes", "q, version: '1'", "q, input_mapping: [1]", "q, version: 1",
        "q, for_each: {items: [1]}", "q, for_each: {items: 1}", "q, for_each: {items: x}", "q, for_each: {}",
        "q, for_each: [1]", "q, for_each: {items: [1], as: 'a b'}", "q, for_each: {items: [1], max_parallel: 0}",
        "q, for_each: {items: [1], on_error: x}", "q, for_each: {items: [1], key: 5}", "q, repeat: {}", "q, repeat: 3",
        "q, repeat: {until: round == 3}", "q, repeat: {until: true}", "q, repeat: {until: round == 3, max: 10001}",
        "q, repeat: {until: round == 3, delay: x}", "q, repeat: {until: round == 3, carry: [1]}",
        "q, repeat: {until: round == 3, on_exhausted: x}", "q, repeat: {until: round == 3}, for_each: {items: []}",
        "q, steps: [{id: a, agent: w, message: x}]", "q, input: {x: {}}", "q, outputs: {x: 1}",
    )),
    *(f"type: sub_process, {more}" for more in (
        "steps: [{id: a, agent: w, message: x}]", "steps: []", "steps: x", "steps: [x]", "steps: [{id: a, type: x}]",
        "steps: [{id: a, agent: w, message: x}], version: 2", "steps: [{id: A, agent: w, message: x}]",
        "steps: [{id: a, agent: w, message: x}], outputs: {a: x}", "steps: [{id: a, type: timer, duration: x}]",
        "steps: [{id: a, agent: w, message: x}], outputs: [{name: a}]", "steps: [{id: a, agent: w, message: 5}]",
        "steps: [{id: a, agent: w, message: x}], input: {x: {type: int}}", "steps: [{id: a, type: sub_process}]",
        "steps: [{id: a, agent: w, message: x}], input: {x: {type: integer}}, input_mapping: {x: 1}",
    )),
    "type: x", "message: x", "agent: '', message: x", "agent: w, message: ''", "agent: w, message: 5",
    "roles: {executor: w}, message: x", "agent: [w], message: x",
]  # fmt: skip
ROOTS = [
    "labels: x", "labels: [x]", "labels: [1]", "labels: {x: 1}", "version: 1", "version: '1'", "version: [1]",
    "input: {a: string}", "input: {a: {type: int}}", "input: {a: {}}", "input: {a: {type: string, enum: []}}",
    "input: []", "max_running: 0", "max_running: 5", "max_running: 1.5", "strict: true", "strict: yes",
    "max_running: {limit: 3}", "max_running: {limit: 0}", "max_running: {per: '{{ input.a }}'}", "max_running: [3]",
    "max_running: {limit: 3, per: '{{ input.a }}'}", "max_running: {limit: 3, per: customer}", "priority: 100",
    "priority: -101", "priority: '{{ input.a }}'", "priority: high", "priority: 1.5", "priority: true",
    "triggers: {type: manual, id: m}", "triggers: [{type: manual, id: m}]", "triggers: [{type: manual}]", "triggers: x",
    "triggers: [{type: schedule, id: s}]", "triggers: [{type: schedule, id: s, preset: daily, at: '9:00'}]",
    "triggers: [{type: schedule, id: s, preset: daily, cron: '* * * * *'}]",
    "triggers: [{type: schedule, id: s, cron: daily}]", "triggers: [{type: schedule, id: s, preset: weekly, on: mon}]",
    "triggers: [{type: schedule, id: s, preset: weekly, on: Monday}]",
    "triggers: [{type: schedule, id: s, preset: weekly, on: [x]}]",
    "triggers: [{type: schedule, id: s, preset: monthly, day: 32}]", "triggers: [{type: webhook, id: s, secret: abc}]",
    "triggers: [{type: webhook, id: s, secret: '${S}'}]", "triggers: [{type: webhook, id: 'a b'}]", "outputs: {a: x}",
    "outputs: [{name: a, source: x}]", "outputs: [{name: a}]", "outputs: [{name: a, value: null}]", "outputs: x",
    "defaults: {timeout: 5m, retry: {max_attempts: 2}}", "defaults: {roles: {executor: w}}", "defaults: {timeout: x}",
    "costs: {daily: {amount: 5, currency: USD}}", "costs: {week_starts: mon, weekly: {amount: 5, currency: USD}}",
    "description: 5", "owner: ''",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_schema_and_reading_agree_about_a_step(step: str) -> None:
    agree(f"name: p\nsteps:\n- {{id: a, {step}}}\n- {{id: b, {AGENT}}}\n")


@pytest.mark.parametrize("field", ROOTS)
def test_schema_and_reading_agree_about_a_field_of_the_document(field: str) -> None:
    agree(f"name: p\n{field}\nsteps:\n- {{id: a, {AGENT}}}\n")


def agree(source: str) -> None:
    found = parse_definition(source).errors
    document = plain(read_tree(source, Problems()))  # type: ignore[arg-type]
    assert SCHEMA.is_valid(document) is (not found), found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside, those aside whose contents are free."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    free = ("parameters", "input_mapping", "output_schema", "artifacts", "source", "default", "enum", "input")
    free += ("items", "carry")
    inner = [(key, part) for key, part in parts if key not in free]
    return [path, *(each for key, part in inner for each in places(part, (*path, key)))]


@given(definitions(), st.data())
@settings(max_examples=75, deadline=None)
def test_what_the_schema_refuses_after_a_change_is_refused_by_reading(
    definition: Definition, data: st.DataObject
) -> None:
    document = json.loads(json.dumps(definition_document(definition)))
    at = data.draw(st.sampled_from(places(document)[1:]))
    other = data.draw(st.sampled_from([5, 1.5, True, "x", "", [], ["x"], {}, {"x": 1}]))
    holder = document
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = other
    found = parse_definition(json.dumps(document)).errors
    accepted = SCHEMA.is_valid(document)
    if not accepted:
        assert found, (at, other)
    if found and {problem.code for problem in found} <= {"wrong_type"}:
        assert not accepted, (at, other, found)
