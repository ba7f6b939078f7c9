"""Steps that call another process: what they ask for, and what they make of its end."""

from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.child import close_child, end_child, start_child
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.child import SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
)
from domain.executions.events.step import StepCompleted, StepFailed, StepRetryScheduled, StepScheduled
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.identity import child_id
from domain.processes.plan import Limits

PARENT = UUID(int=1)
CALL = {"type": "sub_process", "process": "child", "agent": ""}
BUSY = StepError("agent_error", "busy")


@pytest.fixture
def child(plan_of):
    return plan_of({"work": []}, {"result": "{{ steps.work.output }}"}, version=3)


@pytest.fixture
def call(begin, child):
    """call(wait=False, graph={…}): a parent that called `child` at second 0."""

    def build(graph=None, plan=child, take=9, given=None, **more):
        steps = {name: more.pop(name) for name in set(graph or {}) & set(more)}
        steps["call"] = CALL | more
        return begin(graph or {"call": []}, take=take, given=given, callees={"call": plan}, **steps)

    return build


def ended(run, child, answer, after):
    """The end of a child whose agent gave `answer`, handed to its parent."""
    if isinstance(answer, StepError):
        child.given(fail_step, "work", 1, answer, after=after)
    else:
        child.given(complete_step, "work", 1, answer, after=after)
    return run.when(end_child, child.execution.id, child.events[-1], after=after).names


def test_a_call_asks_for_a_child_whose_id_follows_from_what_asks(call):
    run = call(input_mapping={"n": 1})
    asked = run.last(SubProcessStarted)
    assert (asked.child, asked.attempt) == (child_id(PARENT, "call", 1), 1)
    assert (asked.process, asked.version, asked.input) == ("child", 3, {"n": 1})
    assert (asked.root, asked.depth, asked.path, asked.wait) == (PARENT, 1, [PARENT], True)
    assert (run.status("call"), run.execution.steps["call"].message) == ("waiting", {"n": 1})
    assert call(input_mapping={"n": 1}).events == run.events
    assert run.replayed() == run.execution


def test_the_child_knows_where_it_comes_from_and_its_own_child_too(call, child, child_of, plan_of):
    middle = plan_of({"again": []}, again=CALL)
    run = call(plan=middle)
    below = child_of(run, middle, after=1, callees={"again": child})
    started = below.events[0]
    assert (started.parent.execution_id, started.parent.step, started.parent.attempt) == (PARENT, "call", 1)
    assert (started.trigger.type, started.trigger.id, started.pinned) == ("sub_process", "call", {"again": 3})
    assert {event.correlation for event in below.events} == {str(PARENT)}
    asked = below.last(SubProcessStarted)
    assert (asked.root, asked.depth, asked.path) == (PARENT, 2, [PARENT, below.execution.id])
    lowest = child_of(below, child, after=2)
    assert lowest.execution.parent.path == [PARENT, below.execution.id]
    lowest.given(complete_step, "work", 1, 1, after=3)
    assert {event.correlation for event in lowest.events} == {str(PARENT)}


def test_a_child_that_has_begun_is_not_begun_again(call, child, child_of):
    run = call()
    started = child_of(run, child, after=1)
    started.when(start_child, run.last(SubProcessStarted), PARENT, after=2).then()


def test_versions_are_pinned_when_the_parent_starts(call):
    run = call(graph={"a": [], "call": ["a"]})
    assert run.events[0].pinned == {"call": 3}
    run.given(complete_step, "a", 1, 1, after=9)
    assert run.last(SubProcessStarted).version == 3


def test_a_process_that_could_not_be_called_when_the_parent_started_fails_the_step(begin):
    run = begin({"call": []}, call=CALL)
    assert (run.events[0].pinned, run.last(StepFailed).error.code) == ({}, "process_unavailable")
    assert run.execution.status == "failed"


INPUT = {"input": {"n": {"type": "integer", "required": True}, "list": {"type": "array"}, "mode": {"default": "fast"}}}


def test_the_input_keeps_its_types_and_is_completed(call, plan_of):
    typed = plan_of({"work": []}, root=INPUT)
    mapping = {"n": "{{ input.n }}", "list": ["{{ input.n }}", "n={{ input.n }}"]}
    run = call(plan=typed, given={"n": 7}, input_mapping=mapping)
    assert run.last(SubProcessStarted).input == {"n": 7, "list": [7, "n=7"], "mode": "fast"}


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"n": "n={{ input.n }}"}, "input.n is an integer, not a string"),
        ({}, "the input 'n' is required"),
        ({"n": 1, "m": 2}, "there is no input 'm'"),
    ],
)
def test_input_that_the_child_does_not_take_fails_the_step_before_there_is_a_child(call, plan_of, mapping, told):
    retry = {"max_attempts": 3}
    run = call(plan=plan_of({"work": []}, root=INPUT), given={"n": 7}, input_mapping=mapping, retry=retry)
    error = run.last(StepFailed).error
    assert (error.code, error.permanent) == ("child_input_invalid", True)
    assert told in error.message
    assert not [event for event in run.events if isinstance(event, SubProcessStarted)]


def test_input_that_cannot_be_worked_out_fails_the_step_too(call):
    run = call(input_mapping={"n": "{{ input.nowhere }}"}, on_error="skip_step")
    error = run.last(StepFailed).error
    assert (error.code, "on_error leaves out no step" in error.message) == ("unknown_path", True)
    assert run.execution.status == "failed"


@pytest.mark.parametrize(("key", "output"), [(None, {"result": 5}), ("answer", {"answer": {"result": 5}})])
def test_the_declared_outputs_come_back_and_nothing_else(call, child, child_of, key, output):
    path = "steps.call.output.result" if key is None else f"steps.call.output.{key}.result"
    graph = {"call": [], "next": ["call"]}
    run = call(graph=graph, output_key=key, next={"message": f"{{{{ {path} + 1 }}}}"})
    assert ended(run, child_of(run, child, after=1), 5, after=2) == [
        "StepCompleted(call)",
        "StepScheduled(next)",
    ]
    assert (run.execution.steps["call"].output, run.last(StepScheduled).message) == (output, 6)
    assert (run.execution.children, run.timers) == ({}, {})
    assert run.replayed() == run.execution


def test_a_call_that_does_not_wait_has_ended_when_it_has_asked(call, child, child_of):
    run = call(graph={"call": [], "next": ["call"]}, wait=False, timeout=5, total_timeout=9)
    asked = run.last(SubProcessStarted)
    assert run.last(StepCompleted).output == {"execution_id": str(asked.child)}
    assert (asked.wait, run.status("next"), run.timers) == (False, "started", {})
    below = child_of(run, child, after=1)
    assert ended(run, below, 5, after=2) == []
    assert below.last(ExecutionCompleted).reports_to is None
    assert run.replayed() == run.execution


def test_the_end_of_a_child_is_reported_to_the_one_that_waits_for_it(call, child, child_of):
    run = call()
    below = child_of(run, child, after=1)
    below.given(complete_step, "work", 1, 5, after=2)
    assert below.last(ExecutionCompleted).reports_to == PARENT
    assert run.when(end_child, below.execution.id, below.events[-1], after=3).names[0] == "StepCompleted(call)"
    run.when(end_child, below.execution.id, below.events[-1], after=4).then()
    assert run.last(ExecutionCompleted).reports_to is None


def test_a_child_that_fails_fails_the_step(call, child, child_of):
    run = call()
    below = child_of(run, child, after=1)
    assert ended(run, below, BUSY, after=2) == ["StepFailed(call)", "ExecutionFailed(call)"]
    error = run.last(StepFailed).error
    assert (error.code, error.permanent) == ("child_failed", False)
    assert error.message == f"execution {below.execution.id} of 'child' failed: agent_error: busy"


def test_a_child_that_is_cancelled_alone_fails_the_step_for_good(call, child, child_of):
    run = call(retry={"max_attempts": 3})
    below = child_of(run, child, after=1)
    below.given(cancel_execution, "enough", after=2)
    end = below.last(ExecutionCancelled)
    run.when(end_child, below.execution.id, end, after=3).then("StepFailed(call)", "ExecutionFailed(call)")
    error = run.last(ExecutionFailed).error
    assert (error.code, error.message.endswith("was cancelled: enough")) == ("child_cancelled", True)


@pytest.mark.parametrize(
    ("on_error", "follows"),
    [("skip_step", "StepSkipped(call)"), ({"goto_step": "repair"}, "StepDiverted(call)")],
)
def test_what_on_error_says_holds_for_children(call, child, child_of, on_error, follows):
    graph = {"call": [], "repair": [], "next": ["call", "repair"]}
    run = call(graph=graph, on_error=on_error)
    assert follows in ended(run, child_of(run, child, after=1), BUSY, after=2)
    assert run.execution.status == "running"


def test_another_attempt_is_another_child_with_the_same_input(call, child, child_of):
    run = call(input_mapping={"n": 1}, retry={"max_attempts": 2, "delay": 10})
    first = child_of(run, child, after=1)
    assert ended(run, first, BUSY, after=2) == ["StepFailed(call)", "StepRetryScheduled(call)"]
    run.when(fire_timer, "call", "retry", after=12).then("SubProcessStarted(call)")
    asked = run.last(SubProcessStarted)
    assert (asked.attempt, asked.child, asked.input) == (2, child_id(PARENT, "call", 2), {"n": 1})
    run.when(end_child, first.execution.id, first.events[-1], after=13).then()
    second = child_of(run, child, after=14)
    assert ended(run, second, 5, after=15) == ["StepCompleted(call)", "ExecutionCompleted"]


def test_without_a_delay_the_next_child_is_asked_for_at_once(call, child, child_of):
    run = call(retry={"max_attempts": 2, "delay": 0})
    assert ended(run, child_of(run, child, after=1), BUSY, after=2)[-1] == "SubProcessStarted(call)"
    assert run.last(StepRetryScheduled).code == "child_failed"


def test_a_child_that_waits_keeps_its_parent_waiting_whatever_is_restarted(call, child_of, plan_of, at):
    slow = plan_of({"wait": []}, wait={"type": "timer", "duration": "1h"})
    run = call(plan=slow)
    below = child_of(run, slow, after=0)
    assert (run.status("call"), below.status("wait")) == ("waiting", "waiting")
    parent, waiting = fold(run.new, run.events), fold(below.new, below.events)
    fired = fire_timer(waiting, "wait", "timer", at(3600))
    assert end_child(parent, waiting.id, fired.events[-1], at(3600)).execution.status == "completed"


def test_processes_call_one_another_only_so_deep(child, child_of, plan_of, begin):
    limits = Limits(max_depth=2)
    plan = plan_of({"call": []}, call=CALL, limits=limits)
    run = begin({"call": []}, call=CALL, callees={"call": plan}, limits=limits)
    first = child_of(run, plan, after=1, callees={"call": plan})
    second = child_of(first, plan, after=2, callees={"call": plan})
    assert (second.execution.parent.depth, second.last(StepFailed).error.code) == (2, "depth_exceeded")
    assert second.last(ExecutionFailed).reports_to == first.execution.id


def test_one_root_starts_only_so_many_others(call, child_of, plan_of):
    plan = plan_of({"work": []}, limits=Limits(max_descendants=5), root={"max_running": 1})
    run = call(plan=plan)
    last = child_of(run, plan, after=1, descendants=4)
    assert last.execution.status == "queued"
    over = child_of(run, plan, after=1, descendants=5)
    assert [type(event) for event in over.events] == [ExecutionStarted, ExecutionFailed]
    assert (over.last(ExecutionFailed).error.code, over.execution.status) == ("too_many_descendants", "failed")
    run.given(end_child, over.execution.id, over.events[-1], after=2)
    assert run.last(StepFailed).error.code == "child_failed"


def test_nobody_closes_what_has_not_begun(child, at):
    asked = SubProcessClosed(at=at(1).at, actor="x", step="call", attempt=1, child=UUID(int=9), reason="skipped")
    assert close_child(Execution(UUID(int=9), child), asked, PARENT, at(2)).events == []
