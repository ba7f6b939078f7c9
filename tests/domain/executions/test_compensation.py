"""What was done is undone before an execution ends badly, the last first."""

from decimal import Decimal

import pytest

from domain.executions.decisions.child import end_child
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.compensation import CompensationFailed, CompensationRequired
from domain.executions.events.execution import ExecutionCancelled, ExecutionFailed
from domain.executions.events.step import StepScheduled, StepStarted
from domain.money import Money
from tests.domain.executions.compensating import BUSY, CHAIN, completed, failing, started, undo
from tests.scenario import refused


def test_what_completed_is_undone_in_reverse_order_and_then_the_execution_has_failed(begin):
    run = begin(CHAIN, a=undo("undo {{ steps.a.output }}"), b=undo("undo {{ steps.b.output }}"))
    completed(run, "a", "b")
    run.when(fail_step, "c", 1, BUSY, after=2, take=1).then(
        "StepFailed(c)",
        "CompensationRequired(c)",
        "CompensationStarted(b)",
        "StepScheduled(b.compensation)",
        "StepStarted(b.compensation)",
    )
    assert (run.execution.status, run.taken, run.execution.ended_at) == ("compensating", ["b.compensation"], None)
    assert (run.last(StepScheduled).message, run.last(StepScheduled).agent) == ("undo b done", "undoer")
    run.when(complete_step, "b.compensation", 1, 1, after=3, take=1).then(
        "StepCompleted(b.compensation)",
        "CompensationCompleted(b)",
        "CompensationStarted(a)",
        "StepScheduled(a.compensation)",
        "StepStarted(a.compensation)",
    )
    run.when(complete_step, "a.compensation", 1, 1, after=4).then(
        "StepCompleted(a.compensation)", "CompensationCompleted(a)", "ExecutionFailed(c)"
    )
    assert (run.last(ExecutionFailed).error, run.execution.status) == (BUSY, "failed")
    assert run.replayed() == run.execution


def test_the_order_is_that_of_completion_and_not_of_the_definition(begin):
    run = begin({"a": [], "b": [], "c": []}, a=undo(), b=undo())
    completed(run, "b", "a")
    run.given(fail_step, "c", 1, BUSY, after=2, take=1)
    run.given(complete_step, "a.compensation", 1, 1, after=3, take=1)
    assert started(run) == ["a", "b"]


def test_an_execution_that_is_cancelled_undoes_too_and_is_cancelled_then(begin):
    run = begin(CHAIN, a=undo())
    completed(run, "a")
    run.when(cancel_execution, "enough", after=2, take=1).then(
        "StepCancelled(b)",
        "CompensationRequired",
        "CompensationStarted(a)",
        "StepScheduled(a.compensation)",
        "StepStarted(a.compensation)",
    )
    assert (run.last(CompensationRequired).outcome, run.last(CompensationRequired).reason) == ("cancelled", "enough")
    run.when(cancel_execution, "really", after=3).then()
    assert run.when(complete_step, "a.compensation", 1, 1, after=4).names[-1] == "ExecutionCancelled"
    assert run.last(ExecutionCancelled).reason == "enough"


def test_with_nothing_to_undo_an_execution_ends_at_once(begin):
    run = begin(CHAIN, a={"on_error": "skip_step"} | undo(), b={"condition": "false"} | undo(), c=undo())
    run.given(fail_step, "a", 1, BUSY, after=1, take=1)
    assert (run.status("a"), run.status("b")) == ("skipped", "skipped")
    run.when(fail_step, "c", 1, BUSY, after=2).then("StepFailed(c)", "ExecutionFailed(c)")


def test_one_that_fails_does_not_keep_the_others_from_being_undone(begin):
    run = failing(begin, a=undo(), b=undo())
    assert run.when(fail_step, "b.compensation", 1, BUSY, after=3).names[:3] == [
        "StepFailed(b.compensation)",
        "CompensationFailed(b)",
        "CompensationStarted(a)",
    ]
    assert run.last(CompensationFailed).error == BUSY
    run.given(start_step, "a.compensation", 1, after=4)
    assert run.when(complete_step, "a.compensation", 1, 1, after=5).names[-1] == "ExecutionFailed(c)"


def test_a_compensation_is_attempted_as_often_as_it_says(begin):
    run = failing(begin, a=undo(), b=undo(retry={"max_attempts": 2, "delay": 10}))
    run.when(fail_step, "b.compensation", 1, BUSY, after=3).then(
        "StepFailed(b.compensation)", "StepRetryScheduled(b.compensation)"
    )
    assert (run.due("b.compensation", "retry"), started(run)) == (13, ["b"])
    run.when(fire_timer, "b.compensation", "retry", after=13, take=1).then(
        "StepScheduled(b.compensation)", "StepStarted(b.compensation)"
    )
    run.given(fail_step, "b.compensation", 2, BUSY, after=14)
    assert started(run) == ["b", "a"]


@pytest.mark.parametrize("kind", ["timeout", "total_timeout"])
def test_a_compensation_may_take_too_long(begin, kind):
    run = failing(begin, a=undo(), b=undo(**{kind: 10}))
    assert run.due("b.compensation", kind) == 12
    assert run.when(fire_timer, "b.compensation", kind, after=12).names[:3] == [
        "StepTimedOut(b.compensation)",
        "CompensationFailed(b)",
        "CompensationStarted(a)",
    ]
    assert run.last(CompensationFailed).error.code == "step_timed_out"
    assert run.timers == {}
    run.when(complete_step, "b.compensation", 1, 1, after=13).then("StepAnswerIgnored(b.compensation)")


def test_nothing_of_a_compensation_that_failed_is_waited_for(begin):
    run = failing(begin, a=undo(), b=undo(total_timeout=10))
    run.given(fail_step, "b.compensation", 1, BUSY, after=3)
    assert (run.timers, run.when(fire_timer, "b.compensation", "total_timeout", after=12).names) == ({}, [])


def test_a_compensation_that_is_silent_has_missed_its_heartbeat(begin):
    run = failing(begin, a=undo(heartbeat=5))
    run.given(accept_step, "a.compensation", 1, after=3)
    assert run.when(fire_timer, "a.compensation", "heartbeat", after=8).names[-2:] == [
        "CompensationFailed(a)",
        "ExecutionFailed(c)",
    ]


def test_outputs_that_cannot_be_worked_out_undo_everything(begin):
    run = begin({"a": []}, outputs={"x": "{{ steps.a.nowhere }}"}, a=undo())
    run.when(complete_step, "a", 1, 1, after=1, take=0).then(
        "StepCompleted(a)", "CompensationRequired", "CompensationStarted(a)", "StepScheduled(a.compensation)"
    )
    run.given(start_step, "a.compensation", 1, after=2)
    run.given(complete_step, "a.compensation", 1, 1, after=3)
    assert (run.last(ExecutionFailed).step, run.execution.status) == (None, "failed")


def test_a_compensation_that_cannot_be_worked_out_fails_alone(begin):
    run = begin(CHAIN, a=undo(), b=undo("{{ steps.c.output }}"))
    completed(run, "a", "b")
    run.when(fail_step, "c", 1, BUSY, after=2, take=0).then(
        "StepFailed(c)",
        "CompensationRequired(c)",
        "CompensationStarted(b)",
        "StepFailed(b.compensation)",
        "CompensationFailed(b)",
        "CompensationStarted(a)",
        "StepScheduled(a.compensation)",
    )


def test_a_compensation_knows_why_it_is_wanted(begin):
    run = failing(begin, a=undo("because of {{ steps.c.error.code }}"))
    assert run.execution.steps["a.compensation"].message == "because of agent_error"


def test_a_step_that_ends_in_the_decision_that_fails_is_undone_like_any_other(begin):
    timer = {"type": "timer", "duration": 0}
    run = begin({"wait": [], "b": []}, wait=timer | undo(), b={"message": "{{ steps.wait.nowhere }}"}, take=0)
    assert [type(event).__name__ for event in run.events] == [
        "ExecutionStarted",
        "TimerStarted",
        "TimerFired",
        "StepCompleted",
        "StepFailed",
        "CompensationRequired",
        "CompensationStarted",
        "StepScheduled",
    ]


def test_an_answer_must_be_what_the_compensation_asks_for(begin):
    run = failing(begin, a=undo(output_schema={"type": "object"}))
    assert "CompensationFailed(a)" in run.when(complete_step, "a.compensation", 1, "text", after=3).names
    assert run.last(CompensationFailed).error.code == "output_schema_mismatch"


def test_a_notification_may_undo(begin):
    told = {"compensation": {"type": "notification", "channel": ["slack"], "message": "undo {{ steps.a.output }}"}}
    run = failing(begin, a=told)
    scheduled = run.last(StepScheduled)
    assert (scheduled.agent, scheduled.message, scheduled.parameters) == ("", "undo a done", {"channels": ["slack"]})
    assert run.last(StepStarted).step == "a.compensation"
    run.when(reassign_step, "a.compensation", "x", "y", after=3).then(refused("not_an_agent_task"))


def test_a_called_process_is_undone_by_the_one_that_called_it(begin, child_of, plan_of):
    child = plan_of({"work": []})
    call = {"type": "sub_process", "process": "child"} | undo("undo {{ steps.call.output }}")
    run = begin({"call": [], "c": ["call"]}, call=call, callees={"call": child})
    below = child_of(run, child, after=1)
    below.given(complete_step, "work", 1, 1, after=2)
    run.given(end_child, below.execution.id, below.events[-1], after=3, take=1)
    run.given(fail_step, "c", 1, BUSY, after=4, take=1)
    assert (started(run), run.taken) == (["call"], ["call.compensation"])


def test_what_undoing_costs_counts_and_may_be_too_much(begin):
    run = failing(begin, a=undo(max_cost={"amount": "0.02", "currency": "USD"}, retry={"max_attempts": 2, "delay": 0}))
    cents = Money(Decimal("0.03"), "USD")
    run.when(fail_step, "a.compensation", 1, BUSY, after=3, cost=cents).then(
        "CostRecorded(a.compensation)", "StepFailed(a.compensation)", "CompensationFailed(a)", "ExecutionFailed(c)"
    )
    assert run.last(CompensationFailed).error.code == "max_cost_exceeded"
    assert run.execution.steps["a.compensation"].costs == (cents,)
