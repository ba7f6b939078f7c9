"""Timer steps, timeouts and heartbeats: what is due when, and what follows when it is."""

from datetime import timedelta
from typing import Any

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer, fire_timer_early, move_timer, record_heartbeat
from domain.executions.events.step import StepDiverted, StepFailed, StepTimedOut
from domain.executions.events.timer import TimerFired
from tests.scenario import refused

BUSY = StepError("agent_error", "busy")


def hour(**more: Any) -> dict[str, Any]:
    return {"type": "timer", "duration": "1h", **more}


def test_a_timer_step_waits_and_goes_on_when_its_time_has_come(begin):
    run = begin({"wait": [], "b": ["wait"]}, wait=hour())
    assert [type(e).__name__ for e in run.events] == ["ExecutionStarted", "TimerStarted"]
    assert (run.status("wait"), run.due("wait", "timer")) == ("waiting", 3600)
    run.when(fire_timer, "wait", "timer", after=3600.5, take=1).then(
        "TimerFired(wait)", "StepCompleted(wait)", "StepScheduled(b)", "StepStarted(b)"
    )
    assert run.last(TimerFired).lateness == timedelta(seconds=0.5)
    assert run.timers == {}


def test_a_timer_is_never_early_and_fires_once(begin):
    run = begin({"wait": []}, wait=hour())
    run.when(fire_timer, "wait", "timer", after=3599.999).then()
    assert run.when(fire_timer, "wait", "timer", after=3600).names != []
    run.when(fire_timer, "wait", "timer", after=3601).then()
    run.when(fire_timer, "nowhere", "timer", after=3601).then()


@pytest.mark.parametrize(
    "wait", [{"duration": 0}, {"until": "2026-01-01T11:00:00Z"}, {"until": "2026-01-01T12:00:00Z"}]
)
def test_a_timer_whose_time_is_now_or_past_fires_in_the_same_decision(begin, wait):
    run = begin({"wait": [], "b": ["wait"]}, take=0, wait={"type": "timer", **wait})
    assert [type(e).__name__ for e in run.events[1:]] == [
        "TimerStarted",
        "TimerFired",
        "StepCompleted",
        "StepScheduled",
    ]
    assert run.timers == {}


@pytest.mark.parametrize(
    ("wait", "code"),
    [(-1, "timer_invalid"), ("soon", "timer_invalid"), (366 * 86_400, "timer_too_long"), (None, "timer_invalid")],
)
def test_a_time_that_cannot_be_waited_for_fails_the_step(begin, wait, code):
    run = begin({"wait": []}, given={"wait": wait}, wait={"type": "timer", "duration": "{{ input.wait }}"})
    assert run.last(StepFailed).error.code == code
    assert run.execution.status == "failed"


def test_an_execution_that_ends_takes_its_timers_along(begin):
    run = begin({"wait": [], "a": []}, wait=hour(timeout="2h", total_timeout="3h"), a={"timeout": "5m"})
    assert len(run.timers) == 4
    run.when(cancel_execution, "enough", after=1).then(
        "TimerCancelled(wait)", "StepCancelled(wait)", "StepCancelled(a)", "ExecutionCancelled"
    )
    assert run.timers == {}
    run.when(fire_timer, "wait", "timer", after=9999).then()


def test_time_in_the_queue_does_not_count_for_the_timeout(begin):
    run = begin({"a": []}, take=0, a={"timeout": "30s", "total_timeout": "1m"})
    assert run.timers == {}
    run.given(start_step, "a", 1, after=100)
    assert (run.due("a", "timeout"), run.due("a", "total_timeout")) == (130, 160)


def test_a_worker_that_takes_over_gets_no_more_time(begin):
    run = begin({"a": []}, a={"timeout": "30s"})
    run.when(start_step, "a", 1, after=10).then("StepReclaimed(a)")
    assert run.due("a", "timeout") == 30


def test_a_step_that_takes_too_long_has_timed_out_and_its_execution_fails(begin):
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s"})
    run.when(fire_timer, "a", "timeout", after=31).then("StepTimedOut(a)", "ExecutionFailed(a)")
    assert run.status("a") == "timed_out"
    assert run.execution.steps["a"].error.code == "step_timed_out"
    assert run.last(StepTimedOut).scope == "attempt"


def test_completed_or_timed_out_whoever_is_first(begin):
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s", "on_timeout": "skip"})
    run.given(complete_step, "a", 1, "in time", after=29)
    run.when(fire_timer, "a", "timeout", after=31).then()
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s", "on_timeout": "skip"})
    run.given(fire_timer, "a", "timeout", after=31)
    run.when(complete_step, "a", 1, "too late", after=32).then("StepAnswerIgnored(a)")


def test_on_timeout_the_process_may_go_on_without_the_step(begin):
    run = begin(
        {"a": [], "b": ["a"]},
        a={"timeout": "30s", "on_timeout": "skip"},
        b={"message": "{{ steps.a.error.code }}"},
    )
    run.when(fire_timer, "a", "timeout", after=30, take=0).then("StepTimedOut(a)", "StepSkipped(a)", "StepScheduled(b)")
    assert run.execution.steps["b"].message == "step_timed_out"


def test_on_timeout_the_process_may_go_on_elsewhere(begin):
    run = begin(
        {"a": [], "b": ["a"], "c": []},
        a={"timeout": "30s", "on_timeout": {"goto": "c"}, "on_error": "skip_step"},
    )
    run.when(fire_timer, "a", "timeout", after=30, take=0).then(
        "StepTimedOut(a)", "StepDiverted(a)", "StepSkipped(b)", "StepScheduled(c)"
    )
    assert (run.last(StepDiverted).target, run.last(StepDiverted).reason) == ("c", "on_timeout")


def test_without_on_timeout_taking_too_long_is_an_error_like_any_other(begin):
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s", "on_error": "skip_step"})
    assert run.when(fire_timer, "a", "timeout", after=30).names[:2] == ["StepTimedOut(a)", "StepSkipped(a)"]
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s", "on_timeout": "fail", "on_error": "skip_step"})
    run.when(fire_timer, "a", "timeout", after=30).then("StepTimedOut(a)", "ExecutionFailed(a)")


def test_a_timed_out_attempt_is_retried_and_the_whole_may_time_out_too(begin):
    run = begin(
        {"a": []},
        a={"timeout": "30s", "total_timeout": "100s", "retry": {"max_attempts": 9, "delay": "10s"}},
    )
    run.when(fire_timer, "a", "timeout", after=30).then("StepTimedOut(a)", "StepRetryScheduled(a)")
    assert (run.due("a", "retry"), run.due("a", "total_timeout"), run.due("a", "timeout")) == (40, 100, None)
    run.when(fire_timer, "a", "retry", after=40, take=1).then("StepScheduled(a)", "StepStarted(a)")
    assert run.due("a", "timeout") == 70
    run.given(fail_step, "a", 2, BUSY, after=60)
    run.given(fire_timer, "a", "retry", after=70, take=1)
    run.when(fire_timer, "a", "total_timeout", after=100).then("StepTimedOut(a)", "ExecutionFailed(a)")
    assert run.last(StepTimedOut).scope == "total"


def test_the_whole_may_time_out_between_two_attempts_and_while_one_waits_for_a_worker(begin):
    for fired in (False, True):
        run = begin({"a": []}, a={"total_timeout": "60s", "retry": {"max_attempts": 9, "delay": "50s"}})
        run.given(fail_step, "a", 1, BUSY, after=5)
        if fired:
            run.given(fire_timer, "a", "retry", after=55, take=0)
        run.when(fire_timer, "a", "total_timeout", after=60).then("StepTimedOut(a)", "ExecutionFailed(a)")
        assert run.last(StepTimedOut).started_at is None


def test_a_retry_that_would_come_after_the_total_timeout_is_not_waited_for(begin):
    run = begin({"a": []}, a={"total_timeout": "60s", "retry": {"max_attempts": 9, "delay": "50s"}})
    run.when(fail_step, "a", 1, BUSY, after=15).then("StepFailed(a)", "ExecutionFailed(a)")


def test_a_timer_step_that_times_out_waits_on_for_the_same_instant(begin):
    run = begin({"wait": []}, wait=hour(timeout="40m", retry={"max_attempts": 3, "delay": 0}))
    run.when(fire_timer, "wait", "timeout", after=2400).then(
        "TimerCancelled(wait)", "StepTimedOut(wait)", "StepRetryScheduled(wait)", "TimerStarted(wait)"
    )
    assert run.due("wait", "timer") == 3600


def test_a_timer_step_whose_time_has_come_before_its_retry_ends_with_it(begin):
    run = begin({"wait": [], "b": ["wait"]}, wait=hour(timeout="50m", retry={"max_attempts": 3, "delay": "20m"}))
    run.given(fire_timer, "wait", "timeout", after=3000)
    run.when(fire_timer, "wait", "retry", after=4200, take=0).then(
        "TimerStarted(wait)", "TimerFired(wait)", "StepCompleted(wait)", "StepScheduled(b)"
    )


def test_an_agent_that_answers_later_has_to_show_that_it_lives(begin, at):
    run = begin({"a": []}, a={"heartbeat": "10s", "retry": {"max_attempts": 2, "delay": "5s"}})
    assert record_heartbeat(run.execution, "a", 1, at(1).at) is None
    run.given(accept_step, "a", 1, after=2)
    assert run.due("a", "heartbeat") == 12
    assert record_heartbeat(run.execution, "a", 1, at(11).at) == at(21).at
    run.when(fire_timer, "a", "heartbeat", after=21).then(
        "StepHeartbeatMissed(a)", "StepFailed(a)", "StepRetryScheduled(a)"
    )
    assert run.last(StepFailed).error.code == "heartbeat_missed"
    with pytest.raises(Exception, match="not under way"):
        record_heartbeat(run.execution, "a", 1, at(22).at)
    run.when(complete_step, "a", 1, "after all", after=23).then("StepAnswerIgnored(a)")


def test_nobody_listens_for_heartbeats_of_an_attempt_that_has_ended(begin):
    run = begin({"a": [], "b": []}, a={"heartbeat": "10s", "timeout": "30s"})
    run.given(accept_step, "a", 1, after=1)
    run.given(complete_step, "a", 1, "done", after=2)
    assert run.timers == {}


def test_an_operator_may_move_a_timer_or_not_wait_for_it(begin, at):
    run = begin({"wait": [], "b": ["wait"]}, wait=hour())
    run.when(move_timer, "wait", "timer", at(7200).at, "too early", after=5).then("TimerMoved(wait)")
    run.when(move_timer, "wait", "timer", at(7200).at, "too early", after=6).then()
    assert run.due("wait", "timer") == 7200
    run.when(fire_timer, "wait", "timer", after=3600).then()
    run.when(fire_timer_early, "wait", "timer", "why wait", after=10, take=0).then(
        "TimerMoved(wait)", "TimerFired(wait)", "StepCompleted(wait)", "StepScheduled(b)"
    )
    assert run.last(TimerFired).lateness == timedelta()


def test_a_timer_that_is_overdue_is_fired_by_hand_with_its_lateness(begin):
    run = begin({"wait": []}, wait=hour())
    assert run.when(fire_timer_early, "wait", "timer", "nobody did", after=3700).names[0] == "TimerFired(wait)"
    assert run.last(TimerFired).lateness == timedelta(seconds=100)


def test_a_moved_total_timeout_outlives_a_retry(begin, at):
    run = begin({"a": []}, a={"total_timeout": "60s", "retry": {"max_attempts": 9, "delay": "1s"}})
    run.given(move_timer, "a", "total_timeout", at(500).at, "give it time", after=5)
    run.given(fail_step, "a", 1, BUSY, after=10)
    run.given(fire_timer, "a", "retry", after=11, take=1)
    assert run.due("a", "total_timeout") == 500


def test_what_cannot_be_moved_is_refused_by_name(begin, at):
    run = begin({"wait": []}, wait=hour())
    run.when(move_timer, "wait", "retry", at(1).at, "x", after=1).then(refused("no_such_timer"))
    run.when(move_timer, "x", "timer", at(1).at, "x", after=1).then(refused("not_found"))
    run.when(move_timer, "wait", "timer", at(370 * 86_400).at, "x", after=1).then(refused("timer_too_far"))
    run.given(cancel_execution, "enough", after=2)
    run.when(fire_timer_early, "wait", "timer", "x", after=3).then(refused("execution_ended"))
