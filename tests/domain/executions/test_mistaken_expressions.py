"""An expression that cannot be evaluated fails the execution with its place, whatever `on_error` says; null inputs."""

from typing import Any

import pytest

from domain.executions.decisions.execution import start_execution
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed, Trigger
from domain.executions.events.step import StepDiverted, StepFailed, StepSkipped
from domain.executions.state.model import Execution
from domain.language import parse_definition
from domain.processes.plan import accept_input, compile_plan
from tests.domain.executions.conftest import PROCESS, At

X = "{{ input.o.nothing }}"
STEPS = {
    "condition": ("agent: w, message: x, condition: input.o.nothing == 1", "condition"),
    "not a boolean": ("agent: w, message: x, condition: input.o.n", "condition"),
    "kinds": ("agent: w, message: x, condition: input.o.n == 'x'", "condition"),
    "message": (f'agent: w, message: "{X}"', "message"),
    "message of kinds": ("agent: w, message: 'a {{ input.o.n | upper }}'", "message"),
    "parameters": (f'agent: w, message: x, parameters: {{a: 1, b: [2, {{c: "{X}"}}]}}', "parameters.b[1].c"),
    "input_mapping": (f'type: sub_process, process: q, input_mapping: {{a: "{X}"}}', "input_mapping.a"),
    "route": (
        "type: gateway, routes: [{condition: 'false', target: z}, {condition: input.o.nothing, target: z}], "
        "default_route: z",
        "routes[1].condition",
    ),
    "duration": (f'type: timer, duration: "{X}"', "duration"),
    "until": (f'type: timer, until: "{X}"', "until"),
    "notification": (f'type: notification, channel: slack, message: "{X}"', "message"),
    "subject": (
        f'type: notification, channel: email, recipients: a@x.org, message: x, subject: "{X}"',
        "subject",
    ),
    "url": (f'type: notification, channel: webhook, message: x, url: "{X}"', "url"),
    "recipients": (
        f'type: notification, channel: email, message: x, recipients: [a@x.org, "{X}"]',
        "recipients[1]",
    ),
    "title": (f'type: human_approval, title: "{X}"', "title"),
    "description": (f'type: human_approval, description: "{X}"', "description"),
    "artifacts": (f'type: human_approval, artifacts: [1, {{a: "{X}"}}]', "artifacts[1].a"),
}


def begun(source: str, at: At, **given: Any) -> Any:
    definition = parse_definition(source).definition
    assert definition is not None, parse_definition(source).errors
    plan = compile_plan(definition, PROCESS, 1)
    called = compile_plan(parse_definition("name: q\nsteps: [{id: a, agent: w, message: x}]").definition, PROCESS, 1)  # type: ignore[arg-type]
    callees = {name: called for name, step in plan.steps.items() if step.type == "sub_process"}
    accepted = accept_input(plan.input_spec, given)
    return start_execution(
        Execution(PROCESS, plan, callees=callees).id, plan, accepted, Trigger(), at(0), callees=callees
    )


def source(step: str, more: str = "") -> str:
    return f"name: p\nsteps:\n- {{id: a, {step}{more}}}\n- {{id: z, agent: w, message: x, depends_on: a}}\n"


@pytest.mark.parametrize(("step", "place"), STEPS.values(), ids=STEPS)
@pytest.mark.parametrize(
    "fallback", ["", ", on_error: skip_step", ", retry: {max_attempts: 5}", ", on_timeout: skip, timeout: 5s"]
)
def test_a_mistake_in_an_expression_ends_the_execution_with_its_place(
    step: str, place: str, fallback: str, at: At
) -> None:
    if step.startswith(("type: gateway", "type: timer", "type: human")) and "timeout" in fallback:
        return
    events = begun(source(step, fallback), at, o={"n": 1}).events
    failed, end = events[-2:]
    assert isinstance(failed, StepFailed)
    assert isinstance(end, ExecutionFailed)
    assert (failed.error.permanent, end.step) == (True, "a")
    assert failed.error.message.startswith(f"{place}: ")
    assert ("on_error leaves out no step" in end.error.message) == ("skip_step" in fallback)
    assert not any(isinstance(event, StepSkipped) for event in events)


@pytest.mark.parametrize(("step", "place"), STEPS.values(), ids=STEPS)
def test_a_mistake_in_an_expression_leads_where_on_error_goes(step: str, place: str, at: At) -> None:
    (failed, diverted) = (
        event
        for event in begun(source(step, ", on_error: {goto_step: z}"), at, o={"n": 1}).events
        if isinstance(event, StepFailed | StepDiverted)
    )
    assert failed.error.message.startswith(f"{place}: ")
    assert (diverted.target, diverted.reason) == ("z", "on_error")


NULLS = """name: p
input: {maybe: {type: string}, always: {type: number, default: 3}, needed: {type: string, required: true}}
steps:
- {id: wait, type: timer, duration: 0, condition: input.maybe == null}
outputs: {maybe: "{{ input.maybe }}", always: "{{ input.always }}", other: "{{ input.maybe || 'none' }}"}
"""


@pytest.mark.parametrize(
    ("given", "outputs"),
    [
        ({}, {"maybe": None, "always": 3, "other": "none"}),
        ({"maybe": None}, {"maybe": None, "always": 3, "other": "none"}),
        ({"maybe": "x", "always": None}, {"maybe": "x", "always": 3, "other": "x"}),
    ],
)
def test_an_optional_input_is_null_and_a_default_takes_the_place_of_null(
    given: dict[str, Any], outputs: dict[str, Any], at: At
) -> None:
    end = begun(NULLS, at, needed="y", **given).events[-1]
    assert isinstance(end, ExecutionCompleted)
    assert end.outputs == outputs


def test_an_optional_input_was_missing_for_versions_of_the_first_rules(at: At) -> None:
    definition = parse_definition(NULLS).definition
    assert definition is not None
    plan = compile_plan(definition, PROCESS, 1, rules=1)
    given = accept_input(plan.input_spec, {"needed": "y", "maybe": None})
    assert given == {"needed": "y", "always": 3}
    (failed,) = (
        event
        for event in start_execution(PROCESS, plan, given, Trigger(), at(0)).events
        if isinstance(event, StepFailed)
    )
    assert failed.error.code == "unknown_path"


def test_an_output_with_a_fallback_does_not_fail_an_execution_that_is_done(at: At) -> None:
    text = 'name: p\nsteps:\n- {id: a, type: timer, duration: 0}\noutputs: {x: "{{ input.y.z%s }}"}\n'
    failed = begun(text % "", at, y={}).events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert failed.error.message.startswith("output 'x': input.y.z is unknown")
    done = begun(text % " | default('none')", at, y={}).events[-1]
    assert isinstance(done, ExecutionCompleted)
    assert done.outputs == {"x": "none"}
