"""Executions of a process that lets only so many of it run at once."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.execution import admit_execution, cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.execution import ExecutionCancelled, ExecutionCompleted, ExecutionQueued
from domain.executions.state.slot import needs_slot
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
