"""The JSON Schema of the language says yes and no where reading does, as far as a schema can."""

import jsonschema_rs
import pytest
import yaml

from domain.language import json_schema

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
