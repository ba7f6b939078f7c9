"""Executions of a process that lets only so many of it run at once."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.child import Parent
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionQueued,
    Trigger,
)
from domain.executions.state.model import rank_of
from domain.executions.state.slot import Slot, needs_slot, slot_of
from domain.refusal import Malformed
from tests.scenario import refused


@pytest.fixture
def queued(begin):
    """queued({"a": [], …}): an execution that has to wait for its turn."""

    def build(graph=None, **more):
        return begin(graph or {"a": [], "b": ["a"]}, root={"max_running": 2}, **more)

    return build


def test_an_execution_waits_for_its_turn_before_anything_of_it_begins(queued):
    run = queued()
    assert [type(event).__name__ for event in run.events] == ["ExecutionStarted", "ExecutionQueued"]
    assert (run.execution.status, run.execution.steps, run.taken) == ("queued", {}, [])
    assert run.last(ExecutionQueued).process_id == run.execution.plan.process_id
    assert run.replayed() == run.execution


def test_its_time_runs_from_when_it_is_let_in(queued, at):
    run = queued(a={"timeout": 10, "message": "since {{ execution.started_at }}"})
    run.when(admit_execution, after=60, take=1).then("ExecutionAdmitted", "StepScheduled(a)", "StepStarted(a)")
    assert (run.execution.status, run.execution.started_at, run.due("a", "timeout")) == ("running", at(60).at, 70)
    assert run.execution.steps["a"].message == f"since {at(60).at.isoformat()}"
    run.when(admit_execution, after=61).then()
    run.given(complete_step, "a", 1, 1, after=62, take=1)
    run.given(complete_step, "b", 1, 1, after=63)
    assert run.last(ExecutionCompleted).started_at == at(60).at
    run.when(admit_execution, after=64).then()
    assert run.replayed() == run.execution


def test_one_that_waits_may_be_cancelled(queued, at):
    run = queued()
    run.when(cancel_execution, "enough", after=5).then("ExecutionCancelled")
    assert run.last(ExecutionCancelled).started_at == at(0).at
    run.when(admit_execution, after=6).then()
    run.when(cancel_execution, "enough", after=7).then()


def test_of_one_that_waits_there_is_nothing_to_repair(queued):
    run = queued()
    run.when(retry_execution, "x", after=1).then(refused("execution_not_failed"))
    run.when(retry_step, "a", "x", after=1).then(refused("step_not_reached"))
    run.when(skip_step, "a", "x", after=1).then(refused("step_not_reached"))
    run.when(reassign_step, "a", "other", "x", after=1).then(refused("step_not_reached"))
    run.when(complete_step, "a", 1, 1, after=1).then(refused("wrong_attempt"))
    run.when(start_step, "a", 1, after=1).then()
    run.when(fire_timer, "a", "timeout", after=1).then()


def test_one_that_is_retried_does_not_wait_again(queued):
    run = queued()
    run.given(admit_execution, after=5, take=1)
    run.given(fail_step, "a", 1, StepError("agent_error", "busy"), after=6)
    run.when(retry_execution, "again", after=7).then("ExecutionRetried", "StepScheduled(a)")
    assert run.execution.status == "running"


def test_what_fails_as_soon_as_it_is_let_in_has_failed(queued):
    run = queued({"a": []}, a={"message": "{{ input.nowhere }}"})
    run.when(admit_execution, after=5).then("ExecutionAdmitted", "StepFailed(a)", "ExecutionFailed(a)")


KEYED = {"max_running": {"limit": 2, "per": "{{ input.of }}"}, "priority": "{{ input.turn }}"}


def started(plan_of, at, input, parent=None, **root):
    """The events of a start with this input; of a child with a parent."""
    declared = {"of": {"type": "object"}, "turn": {"type": "number"}}
    plan = plan_of({"a": []}, root={"input": declared, **root})
    return start_execution(UUID(int=1), plan, input, Trigger(), at(0), parent=parent).events


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("acme", "acme"),
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("2.50"), "2.50"),
        (True, "true"),
        (None, ""),
        ("x" * 200, "x" * 200),
    ],
)
def test_an_execution_waits_in_the_line_of_its_key_with_its_priority(plan_of, at, value, key):
    queued = started(plan_of, at, {"of": value, "turn": -100}, **KEYED)[-1]
    assert isinstance(queued, ExecutionQueued)
    assert (queued.slot_key, queued.priority, queued.called) == (key, -100, False)


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({"of": ["a"], "turn": 0}, "slot_key_invalid", "max_running.per"),
        ({"of": {"a": 1}, "turn": 0}, "slot_key_invalid", "max_running.per"),
        ({"of": "x" * 201, "turn": 0}, "slot_key_invalid", "max_running.per"),
        ({"of": "a", "turn": 101}, "priority_invalid", "priority"),
        ({"of": "a", "turn": 10**400}, "priority_invalid", "priority"),
        ({"of": "a", "turn": 0.5}, "priority_invalid", "priority"),
        ({"of": "a", "turn": float("inf")}, "priority_invalid", "priority"),
        ({"of": "a", "turn": "7"}, "priority_invalid", "priority"),
        ({"of": "a", "turn": None}, "priority_invalid", "priority"),
        ({"of": "a", "turn": True}, "priority_invalid", "priority"),
    ],
)
def test_an_input_that_gives_no_key_or_no_priority_refuses_the_start(plan_of, at, input, code, path):
    with pytest.raises(Malformed) as refusal:
        started(plan_of, at, input, **KEYED)
    assert refusal.value.code == code
    assert [(problem.code, problem.path) for problem in refusal.value.problems] == [(code, path)]


def test_a_child_fails_where_a_start_would_be_refused(plan_of, at):
    parent = Parent(UUID(int=2), "call", 1, UUID(int=2), 1, [UUID(int=2)])
    events = started(plan_of, at, {"of": [], "turn": 0}, parent, **KEYED)
    assert [type(event).__name__ for event in events] == ["ExecutionStarted", "ExecutionFailed"]
    assert events[-1].error.code == "slot_key_invalid"


def test_a_whole_number_may_be_written_with_a_point(plan_of, at):
    assert started(plan_of, at, {"of": "a", "turn": 5.0}, **KEYED)[-1].priority == 5


def test_each_step_of_priority_is_worth_a_minute(plan_of, at):
    """None waits for ever: whoever comes 200 minutes later comes after it, whatever their priorities are."""
    low, high = rank_of(at(0).at, -100), rank_of(at(200 * 60).at, 100)
    assert low == high
    assert rank_of(at(60).at, 1) == rank_of(at(0).at, 0) < rank_of(at(0).at, -1)


def test_the_slot_of_an_execution_has_its_key_and_its_rank(begin, at):
    root = KEYED | {"priority": 3, "input": {"of": {"type": "string"}}}
    run = begin({"a": []}, root=root, given={"of": "acme"})
    process, rank = run.execution.plan.process_id, at(-180).at
    assert slot_of("", run.execution) == Slot(process, "queued", "acme", rank)
    run.given(admit_execution, after=5, take=1)
    assert slot_of("queued", run.execution) == Slot(process, "running", "acme", rank)
    run.given(fail_step, "a", 1, StepError("agent_error", "busy"), after=6)
    assert slot_of("running", run.execution) == Slot(process, "left")
    run.given(retry_execution, "again", after=7)
    assert slot_of("failed", run.execution) == Slot(process, "running", "acme", rank)


def test_an_admission_states_the_limit_that_it_keeps_to(queued):
    run = queued()
    run.given(admit_execution, after=5, limit=2)
    assert run.last(ExecutionAdmitted).limit == 2


def test_what_only_a_pause_held_back_keeps_to_no_limit(plan_of, at):
    plan = plan_of({"a": []}, root={"priority": 7})
    held = start_execution(UUID(int=1), plan, {}, Trigger(), at(0), waits=True)
    assert (held.events[-1].takes_slot, held.events[-1].priority) == (False, 7)
    assert admit_execution(held.execution, at(1), limit=2).events[0].limit is None


CALL = {"type": "sub_process", "process": "child"}


def test_a_child_of_another_process_waits_for_its_own_turn(queued, begin, plan_of, child_of):
    child = replace(plan_of({"work": []}, root={"max_running": 1}), process_id=UUID(int=8))
    run = begin({"call": []}, call=CALL, callees={"call": child}, root={"max_running": 1})
    run.given(admit_execution, after=1)
    assert child_of(run, child, after=1).execution.status == "queued"


def test_a_child_runs_on_the_place_of_one_of_its_own_process_that_waits_for_it(begin, plan_of, child_of):
    """An old version of itself may be called; it would never get the place that its caller keeps until it ends."""
    old = plan_of({"work": []}, root={"max_running": 1})
    run = begin({"call": []}, call=CALL, callees={"call": old}, root={"max_running": 1})
    run.when(admit_execution, after=1).then("ExecutionAdmitted", "SubProcessStarted(call)")
    below = child_of(run, old, after=2)
    assert below.execution.status == "running"
    assert not needs_slot(below.execution)
    assert below.replayed() == below.execution


def test_a_child_that_nobody_waits_for_needs_a_place_of_its_own(begin, plan_of, child_of):
    old = plan_of({"work": []}, root={"max_running": 1})
    run = begin({"call": []}, call=CALL | {"wait": False}, callees={"call": old}, root={"max_running": 1})
    run.given(admit_execution, after=1)
    assert child_of(run, old, after=2).execution.status == "queued"
