"""What becomes of children that nobody wants any longer, and of their late answers."""

from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.child import close_child, end_child
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.child import SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import ExecutionCancelled
from domain.executions.events.step import StepCancelled, StepTimedOut
from domain.identity import child_id
from tests.scenario import refused

PARENT = UUID(int=1)
CALL = {"type": "sub_process", "process": "child"}
BUSY = StepError("agent_error", "busy")


@pytest.fixture
def child(plan_of):
    return plan_of({"work": []})


@pytest.fixture
def call(begin, child):
    """call(on_parent_close="abandon", graph={…}): a parent that called `child` at second 0."""

    def build(graph=None, take=9, outputs=None, **more):
        steps = {name: more.pop(name) for name in set(graph or {}) & set(more)} | {"call": CALL | more}
        return begin(graph or {"call": []}, take=take, outputs=outputs, callees={"call": child}, **steps)

    return build


def closed(run):
    """The reasons for which children were closed."""
    return [event.reason for event in run.events if isinstance(event, SubProcessClosed)]


def test_a_parent_that_is_cancelled_closes_its_children(call, child, child_of):
    run = call()
    below = child_of(run, child, after=1)
    run.when(cancel_execution, "enough", after=2).then(
        "SubProcessClosed(call)", "StepCancelled(call)", "ExecutionCancelled"
    )
    closing = run.last(SubProcessClosed)
    assert (closing.child, closing.attempt, closing.reason) == (below.execution.id, 1, "execution_cancelled")
    below.when(close_child, closing, PARENT, after=3).then("StepCancelled(work)", "ExecutionCancelled")
    assert below.last(ExecutionCancelled).reason == (
        f"execution {PARENT} called this one and does not want it any longer: execution_cancelled"
    )
    below.when(close_child, closing, PARENT, after=4).then()
    run.when(end_child, below.execution.id, below.events[-1], after=5).then()
    assert run.execution.children == {}
    assert run.replayed() == run.execution


def test_a_parent_that_fails_closes_its_children(call):
    run = call(graph={"call": [], "a": []})
    run.when(fail_step, "a", 1, BUSY, after=1).then(
        "StepFailed(a)", "SubProcessClosed(call)", "StepCancelled(call)", "ExecutionFailed(a)"
    )
    assert closed(run) == ["execution_failed"]


def test_a_parent_that_completes_closes_the_children_that_it_did_not_wait_for(call):
    run = call(graph={"call": [], "a": []}, wait=False)
    run.when(complete_step, "a", 1, 1, after=1).then("StepCompleted(a)", "SubProcessClosed(call)", "ExecutionCompleted")
    assert (closed(run), run.execution.children) == (["execution_completed"], {})


@pytest.mark.parametrize("decide", [cancel_execution, None])
def test_children_that_were_not_waited_for_are_closed_with_those_that_were(call, decide):
    run = call(graph={"call": [], "a": []}, wait=False)
    if decide:
        run.given(decide, "enough", after=1)
    else:
        run.given(fail_step, "a", 1, BUSY, after=1)
    assert closed(run) == ["execution_cancelled" if decide else "execution_failed"]


@pytest.mark.parametrize("wait", [True, False])
def test_a_child_to_be_abandoned_is_left_alone(call, child, child_of, wait):
    run = call(graph={"call": [], "a": []}, on_parent_close="abandon", wait=wait)
    below = child_of(run, child, after=1)
    run.given(fail_step, "a", 1, BUSY, after=2)
    assert (closed(run), run.execution.children, run.execution.status) == ([], {}, "failed")
    assert below.when(complete_step, "work", 1, 5, after=3).names[-1] == "ExecutionCompleted"
    run.when(end_child, below.execution.id, below.events[-1], after=4).then()


def test_outputs_that_cannot_be_worked_out_close_children_as_a_failure(call):
    run = call(wait=False, outputs={"x": "{{ steps.call.output.nowhere }}"})
    assert (run.execution.status, closed(run)) == ("failed", ["execution_failed"])


def test_a_child_that_takes_too_long_is_closed(call, child, child_of):
    run = call(timeout=10)
    below = child_of(run, child, after=1)
    assert run.due("call", "timeout") == 10
    run.when(fire_timer, "call", "timeout", after=10).then(
        "SubProcessClosed(call)", "StepTimedOut(call)", "ExecutionFailed(call)"
    )
    assert (closed(run), run.last(StepTimedOut).attempt) == (["step_timed_out"], 1)
    below.given(complete_step, "work", 1, 5, after=11)
    below.when(close_child, run.last(SubProcessClosed), PARENT, after=12).then()
    run.when(end_child, below.execution.id, below.events[-1], after=12).then()


def test_a_child_to_be_abandoned_may_take_too_long(call, child, child_of):
    run = call(timeout=10, on_parent_close="abandon", retry={"max_attempts": 2, "delay": 5})
    first = child_of(run, child, after=1)
    run.when(fire_timer, "call", "timeout", after=10).then("StepTimedOut(call)", "StepRetryScheduled(call)")
    assert run.execution.children == {}
    run.given(fire_timer, "call", "retry", after=15)
    first.given(complete_step, "work", 1, "late", after=16)
    run.when(end_child, first.execution.id, first.events[-1], after=17).then()
    assert list(run.execution.children) == [child_id(PARENT, "call", 2)]


def test_the_total_timeout_covers_all_children(call, child, child_of):
    run = call(total_timeout=20, retry={"max_attempts": 9, "delay": 5})
    first = child_of(run, child, after=1)
    first.given(fail_step, "work", 1, BUSY, after=2)
    run.given(end_child, first.execution.id, first.events[-1], after=3)
    run.given(fire_timer, "call", "retry", after=8)
    assert run.due("call", "total_timeout") == 20
    assert run.when(fire_timer, "call", "total_timeout", after=20).names[:2] == [
        "SubProcessClosed(call)",
        "StepTimedOut(call)",
    ]
    assert run.last(SubProcessClosed).child == child_id(PARENT, "call", 2)
    assert run.timers == {}


def test_a_timeout_may_lead_elsewhere(call):
    run = call(graph={"call": [], "b": []}, timeout=10, on_timeout={"goto": "b"})
    run.when(fire_timer, "call", "timeout", after=10, take=0).then(
        "SubProcessClosed(call)", "StepTimedOut(call)", "StepDiverted(call)", "StepScheduled(b)"
    )


def test_cancelling_beats_the_retry_that_was_to_come(call, child, child_of):
    run = call(retry={"max_attempts": 2, "delay": 10}, total_timeout=60)
    below = child_of(run, child, after=1)
    below.given(fail_step, "work", 1, BUSY, after=2)
    run.given(end_child, below.execution.id, below.events[-1], after=3)
    run.when(cancel_execution, "enough", after=4).then("StepCancelled(call)", "ExecutionCancelled")
    assert (run.timers, run.when(fire_timer, "call", "retry", after=13).names) == ({}, [])


def test_an_operator_may_want_another_child(call, child, child_of):
    run = call()
    first = child_of(run, child, after=1)
    run.when(retry_step, "call", "stuck", after=5).then(
        "SubProcessClosed(call)", "StepCancelled(call)", "StepRetried(call)", "SubProcessStarted(call)"
    )
    assert (closed(run), run.last(StepCancelled).reason) == (["retried"], "retried")
    assert list(run.execution.children) == [run.last(SubProcessStarted).child]
    first.given(complete_step, "work", 1, 1, after=6)
    run.when(end_child, first.execution.id, first.events[-1], after=7).then()
    assert run.status("call") == "waiting"


def test_an_operator_may_go_on_without_the_child(call):
    run = call(graph={"call": [], "b": ["call"]})
    run.when(skip_step, "call", "no need", after=5, take=0).then(
        "SubProcessClosed(call)", "StepCancelled(call)", "StepSkipped(call)", "StepScheduled(b)"
    )
    assert closed(run) == ["skipped"]


def test_a_child_is_not_given_to_an_agent(call):
    call().when(reassign_step, "call", "other", "x", after=1).then(refused("not_an_agent_task"))


def test_a_parent_that_is_retried_asks_for_new_children(call):
    run = call(graph={"call": [], "a": []})
    run.given(fail_step, "a", 1, BUSY, after=1)
    assert "SubProcessStarted(call)" in run.when(retry_execution, "again", after=2).names
    assert (run.last(SubProcessStarted).attempt, list(run.execution.children)) == (2, [child_id(PARENT, "call", 2)])
    assert run.replayed() == run.execution


def test_a_child_that_operators_retry_reports_to_nobody_that_has_heard_of_its_failure(call, child, child_of):
    run = call()
    below = child_of(run, child, after=1)
    below.given(fail_step, "work", 1, BUSY, after=2)
    run.given(end_child, below.execution.id, below.events[-1], after=3)
    below.given(retry_execution, "again", after=4, take=1)
    below.given(complete_step, "work", 2, 1, after=5)
    run.when(end_child, below.execution.id, below.events[-1], after=6).then()
    assert run.execution.status == "failed"


def test_closing_reaches_a_child_that_waits_for_its_turn(call, child_of, plan_of):
    run = call()
    queued = child_of(run, plan_of({"work": []}, root={"max_running": 1}), after=1)
    run.given(cancel_execution, "enough", after=2)
    queued.when(close_child, run.last(SubProcessClosed), PARENT, after=3).then("ExecutionCancelled")


def test_closing_goes_down_the_tree(call, child, child_of, plan_of):
    middle = plan_of({"again": []}, again=CALL)
    run = call()
    below = child_of(run, middle, after=1, callees={"again": child})
    run.given(cancel_execution, "enough", after=2)
    below.when(close_child, run.last(SubProcessClosed), PARENT, after=3).then(
        "SubProcessClosed(again)", "StepCancelled(again)", "ExecutionCancelled"
    )


def test_a_child_that_is_being_undone_is_ending_already(call, child_of, plan_of):
    undone = plan_of(
        {"work": [], "b": ["work"]}, work={"compensation": {"type": "agent_task", "agent": "x", "message": "y"}}
    )
    run = call()
    below = child_of(run, undone, after=1)
    below.given(complete_step, "work", 1, 1, after=2)
    run.given(cancel_execution, "enough", after=3)
    closing = run.last(SubProcessClosed)
    assert below.when(close_child, closing, PARENT, after=4, take=1).names[-1] == "StepStarted(work.compensation)"
    below.when(close_child, closing, PARENT, after=5).then()
    below.given(complete_step, "work.compensation", 1, 1, after=6)
    assert below.last(ExecutionCancelled).reports_to == PARENT
