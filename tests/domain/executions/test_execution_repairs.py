"""What operators do about executions that failed, and steps that do not come to an end."""

from domain.agents.calls import StepError
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.execution import ExecutionRetried
from domain.executions.events.step import StepScheduled, StepSkipped
from tests.scenario import refused

BUSY = StepError("agent_error", "busy")
GRAPH = {"a": [], "b": [], "c": ["a", "b"]}


def failed(begin, take=1, graph=GRAPH, **steps):
    run = begin(graph, take=take, **steps)
    run.given(fail_step, "a", 1, BUSY, after=1)
    assert run.execution.status == "failed"
    return run


def test_a_failed_execution_goes_on_from_what_failed_and_what_was_given_up_for_it(begin):
    run = failed(begin)
    run.when(retry_execution, "agent is back", after=5, take=1).then(
        "ExecutionRetried", "StepScheduled(a)", "StepStarted(a)", "StepScheduled(b)"
    )
    assert run.last(ExecutionRetried).steps == ["a", "b"]
    assert (run.execution.status, run.execution.ended_at, run.taken) == ("running", None, ["a"])
    assert [run.execution.steps[step].attempt for step in "ab"] == [2, 2]
    run.given(complete_step, "a", 2, 1, after=6)
    run.given(start_step, "b", 2, after=6)
    run.when(complete_step, "b", 2, 1, after=7).then("StepCompleted(b)", "StepScheduled(c)")
    run.given(start_step, "c", 1, after=8)
    run.when(complete_step, "c", 1, 1, after=9).then("StepCompleted(c)", "ExecutionCompleted")
    assert run.replayed() == run.execution


def test_what_had_ended_is_not_done_again(begin):
    run = begin(GRAPH)
    run.given(complete_step, "b", 1, "b", after=1)
    run.given(fail_step, "a", 1, BUSY, after=2)
    run.when(retry_execution, "again", after=5).then("ExecutionRetried", "StepScheduled(a)")


def test_the_retry_policy_and_the_total_timeout_begin_anew_but_the_numbers_go_on(begin):
    run = begin({"a": []}, a={"retry": {"max_attempts": 2, "delay": "10s"}, "total_timeout": "60s"})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.given(fire_timer, "a", "retry", after=11, take=1)
    run.given(fail_step, "a", 2, BUSY, after=12)
    run.given(retry_execution, "again", after=500, take=1)
    assert (run.last(StepScheduled).attempt, run.due("a", "total_timeout")) == (3, 560)
    run.when(fail_step, "a", 3, BUSY, after=501).then("StepFailed(a)", "StepRetryScheduled(a)")
    assert run.due("a", "retry") == 511
    run.given(fire_timer, "a", "retry", after=511, take=1)
    assert run.when(fail_step, "a", 4, BUSY, after=512).names[-1] == "ExecutionFailed(a)"


def test_what_had_become_ready_in_the_decision_that_failed_is_not_forgotten(begin):
    run = begin({"a": [], "b": ["a"], "c": ["a"], "d": ["c"]}, b={"condition": "steps.a.output > 1"})
    run.given(complete_step, "a", 1, "text", after=1)
    assert run.status("c") is None
    run.when(skip_step, "b", "not needed", after=2).then("ExecutionRetried", "StepSkipped(b)", "StepScheduled(c)")


def test_what_fails_again_for_the_same_reason_fails_the_execution_again(begin):
    run = begin({"a": [], "b": ["a"]}, b={"condition": "steps.a.output > 1"})
    run.given(complete_step, "a", 1, "text", after=1)
    run.when(retry_execution, "again", after=2).then("ExecutionRetried", "StepFailed(b)", "ExecutionFailed(b)")
    assert run.execution.steps["b"].attempt == 2
    assert run.when(retry_execution, "again", after=3).names[0] == "ExecutionRetried"


def test_a_late_answer_to_what_was_given_up_does_not_disturb_the_new_attempt(begin):
    run = failed(begin, take=2)
    run.given(retry_execution, "again", after=5, take=2)
    run.when(complete_step, "b", 1, "late", after=6).then("StepAnswerIgnored(b)")
    assert run.status("b") == "started"


def test_one_step_of_a_failed_execution_may_be_left_out(begin):
    run = failed(begin)
    run.when(skip_step, "a", "not needed", after=5).then("ExecutionRetried", "StepSkipped(a)", "StepScheduled(b)")
    assert (run.last(StepSkipped).reason, run.last(StepSkipped).comment) == ("operator", "not needed")
    run.given(start_step, "b", 2, after=6)
    run.when(complete_step, "b", 2, 1, after=7).then("StepCompleted(b)", "StepScheduled(c)")


def test_one_step_of_a_failed_execution_may_be_given_to_another_agent(begin):
    run = failed(begin)
    run.when(reassign_step, "a", "stronger", "too hard", after=5).then(
        "ExecutionRetried", "StepReassigned(a)", "StepScheduled(a)", "StepScheduled(b)"
    )
    assert (run.execution.steps["a"].agent, run.execution.steps["b"].agent) == ("stronger", "echo")


def test_an_attempt_that_does_not_end_is_replaced(begin):
    run = begin(GRAPH, take=1)
    run.given(accept_step, "a", 1, after=1)
    run.when(retry_step, "a", "lost", after=60, take=1).then(
        "StepCancelled(a)", "StepRetried(a)", "StepScheduled(a)", "StepStarted(a)"
    )
    run.when(retry_step, "b", "impatient", after=61).then()
    run.when(complete_step, "a", 1, "late", after=62).then("StepAnswerIgnored(a)")
    run.when(complete_step, "a", 2, "fine", after=63).then("StepCompleted(a)")


def test_a_retry_need_not_be_waited_for(begin):
    run = begin({"a": []}, a={"retry": {"max_attempts": 3, "delay": "1h"}})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.when(retry_step, "a", "it is back", after=2).then("StepRetried(a)", "StepScheduled(a)")
    assert run.timers == {}


def test_a_step_that_an_operator_retries_has_all_its_time_and_all_its_attempts_again(begin):
    run = begin({"a": []}, a={"total_timeout": "60s", "retry": {"max_attempts": 2, "delay": "1s"}})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.given(retry_step, "a", "it is back", after=2, take=1)
    assert run.due("a", "total_timeout") == 62
    run.when(fail_step, "a", 2, BUSY, after=3).then("StepFailed(a)", "StepRetryScheduled(a)")


def test_a_step_under_way_may_be_left_out(begin):
    run = begin({"wait": [], "b": ["wait"]}, wait={"type": "timer", "duration": "1h"})
    run.when(skip_step, "wait", "no need", after=1).then(
        "TimerCancelled(wait)", "StepCancelled(wait)", "StepSkipped(wait)", "StepScheduled(b)"
    )
    assert run.timers == {}


def test_a_step_under_way_may_be_given_to_another_agent(begin):
    run = begin({"a": []}, a={"retry": {"max_attempts": 2, "delay": "1h"}})
    run.when(reassign_step, "a", "echo", "same", after=1).then()
    run.when(reassign_step, "a", "stronger", "too hard", after=1, take=1).then(
        "StepCancelled(a)", "StepReassigned(a)", "StepScheduled(a)", "StepStarted(a)"
    )
    run.given(fail_step, "a", 2, BUSY, after=2)
    run.when(reassign_step, "a", "strongest", "still too hard", after=3).then("StepReassigned(a)", "StepScheduled(a)")
    assert (run.last(StepScheduled).agent, run.last(StepScheduled).attempt, run.timers) == ("strongest", 3, {})


def test_what_cannot_be_repaired_is_refused_by_name(begin):
    run = begin({"a": [], "b": ["a"], "wait": []}, wait={"type": "timer", "duration": "1h"})
    run.when(retry_execution, "x", after=1).then(refused("execution_not_failed"))
    run.when(retry_step, "nowhere", "x", after=1).then(refused("not_found"))
    run.when(skip_step, "b", "x", after=1).then(refused("step_not_reached"))
    run.when(reassign_step, "wait", "echo", "x", after=1).then(refused("not_an_agent_task"))
    run.given(complete_step, "a", 1, 1, after=1)
    run.when(retry_step, "a", "x", after=2).then(refused("step_ended"))
    run.given(cancel_execution, "enough", after=3)
    run.when(retry_execution, "x", after=4).then(refused("execution_not_failed"))
    run.when(skip_step, "b", "x", after=4).then(refused("execution_ended"))


def test_outputs_that_cannot_be_worked_out_are_not_retried(begin):
    run = begin({"a": []}, outputs={"x": "{{ steps.a.output.nowhere }}"})
    run.given(complete_step, "a", 1, {}, after=1)
    run.when(retry_execution, "x", after=2).then(refused("nothing_to_retry"))


def test_an_error_that_was_dealt_with_is_not_retried(begin):
    run = begin({"a": [], "b": [], "c": []}, a={"on_error": {"goto_step": "c"}})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.given(fail_step, "b", 1, BUSY, after=2)
    run.given(retry_execution, "again", after=3)
    assert run.last(ExecutionRetried).steps == ["b", "c"]
    assert run.replayed() == run.execution
