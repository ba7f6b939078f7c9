"""Given a large answer, when a step or the outputs would multiply it, then the execution fails, and small."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.execution import fail_execution, start_execution
from domain.executions.decisions.step import complete_step
from domain.executions.events.execution import ExecutionFailed, Trigger
from domain.language import parse_definition
from domain.processes.plan import Limits
from tests.definitions import plan_of

BIG = "x" * 1_000_000
CAUSE = Cause(datetime(2026, 11, 1, tzinfo=UTC), "worker:test")


def plan_with(fields: str, outputs: str = "{}", limits: Limits = Limits()):  # noqa: B008 - immutable
    return plan_of(
        "name: p\nsteps:\n- {id: big, agent: w, message: x}\n"
        f"- {{id: a, agent: w, message: x, depends_on: big, {fields}}}\noutputs: {outputs}\n",
        limits=limits,
    )


def answered(plan, output=BIG, cause: Cause = CAUSE):
    begun = start_execution(UUID(int=1), plan, {}, Trigger(), cause, take=1)
    return complete_step(begun.execution, "big", 1, output, cause=cause, take=1)


@pytest.mark.parametrize(
    "fields",
    [
        "parameters: {" + ", ".join(f'p{n}: "{{{{ steps.big.output }}}}"' for n in range(1_100)) + "}",
        "parameters: {p: [" + ", ".join(['"{{ steps.big.output }}"'] * 1_100) + "]}",
        'on_error: skip_step, parameters: {a: "{{ steps.big.output }}", b: "{{ steps.big.output }}"}',
    ],
)
def test_a_step_that_multiplies_an_answer_fails_with_its_execution(fields):
    unfolding = answered(plan_with(fields))
    failed = unfolding.events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert (failed.step, failed.error.code) == ("a", "result_too_large")
    assert sum(len(msgspec.json.encode(event)) for event in unfolding.events) < 1_100_000


def test_outputs_are_bounded_as_a_whole():
    outputs = "{" + ", ".join(f'o{n}: "{{{{ steps.big.output }}}}"' for n in range(200)) + "}"
    second = answered(plan_with("condition: true", outputs))
    third = complete_step(second.execution, "a", 1, "done", cause=CAUSE)
    failed = third.events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert failed.error.code == "result_too_large"
    assert "output 'o1'" in failed.error.message


def test_the_operator_sets_the_bound():
    fields = 'parameters: {a: "{{ steps.big.output }}", b: "{{ steps.big.output }}"}'
    assert answered(plan_with(fields, limits=Limits(max_result=3_000_000))).events[-1].step == "a"
    unfolding = answered(plan_with(fields, limits=Limits(max_result=3_000_000)))
    assert not isinstance(unfolding.events[-1], ExecutionFailed)


def test_references_that_can_only_multiply_are_a_warning():
    many = ", ".join(f'p{n}: "{{{{ steps.big.output }}}}"' for n in range(30))
    source = (
        "name: p\nsteps:\n- {id: big, agent: w, message: x}\n"
        f"- {{id: a, agent: w, message: x, depends_on: big, parameters: {{{many}}}}}\n"
    )
    found = parse_definition(source).problems
    assert [(problem.severity, problem.code) for problem in found] == [("warning", "multiplied_reference")]


def test_all_steps_that_one_decision_begins_are_bounded_together():
    fan = "".join(
        f'- {{id: s{n}, agent: w, message: "b {{{{ steps.big.output }}}}", depends_on: big}}\n' for n in range(99)
    )
    source = f"name: p\nsteps:\n- {{id: big, agent: w, message: x}}\n{fan}"
    unfolding = answered(plan_of(source))
    failed = unfolding.events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert (failed.step, failed.error.code) == ("s33", "result_too_large")
    assert sum(len(msgspec.json.encode(event)) for event in unfolding.events) < 40 << 20


def test_a_text_counts_as_it_is_written_in_json():
    fields = 'parameters: {a: {b: ["{{ steps.big.output }}"]}}'
    unfolding = answered(plan_with(fields), "\x01" * 500_000)
    failed = unfolding.events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert failed.error.message.startswith("a.b[0]: what is rendered here")
    assert len(msgspec.json.encode(answered(plan_with(fields), "\x01" * 170_000).events[-2])) < 1_100_000


@pytest.mark.parametrize("status", ["running", "queued"])
def test_an_execution_whose_decision_cannot_be_recorded_fails(status):
    plan = plan_with("condition: true")
    begun = start_execution(UUID(int=1), plan, {}, Trigger(), CAUSE, take=1).execution
    begun.status = status
    events = fail_execution(begun, StepError("result_too_large", "too large", permanent=True), CAUSE).events
    assert [type(event).__name__ for event in events] == ["StepCancelled", "ExecutionFailed"]
    ended = answered(plan_with("on_error: fail")).execution
    ended.status = "completed"
    assert fail_execution(ended, StepError("result_too_large", "too large"), CAUSE).events == []
