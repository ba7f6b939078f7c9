"""Attempts that fail: another one, another way to go on, or the end; and answers that come when all is over."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.agents.calls import StepError, Usage
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.step import accept_step, complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.cost import CostRecorded
from domain.executions.events.step import StepAnswerIgnored, StepFailed, StepRetryScheduled, StepScheduled
from domain.money import Money

BUSY = StepError("agent_error", "busy")
THRICE = {"retry": {"max_attempts": 3, "delay": "10s", "backoff": "exponential", "multiplier": 3}}


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def test_nothing_is_retried_unless_asked(begin):
    run = begin({"a": []})
    run.when(fail_step, "a", 1, BUSY, after=1).then("StepFailed(a)", "ExecutionFailed(a)")


def test_a_failed_attempt_is_followed_by_others_until_there_are_no_more(begin):
    run = begin({"a": [], "b": ["a"]}, a=THRICE)
    run.when(fail_step, "a", 1, BUSY, after=1).then("StepFailed(a)", "StepRetryScheduled(a)")
    assert (run.status("a"), run.due("a", "retry")) == ("retrying", 11)
    run.when(fire_timer, "a", "retry", after=10).then()
    run.when(fire_timer, "a", "retry", after=11, take=1).then("StepScheduled(a)", "StepStarted(a)")
    assert (run.taken, run.timers) == (["a"], {})
    again = run.last(StepScheduled)
    assert (again.attempt, again.message, again.agent) == (2, "do a", "echo")
    run.given(fail_step, "a", 2, BUSY, after=20)
    assert run.due("a", "retry") == 50
    run.given(fire_timer, "a", "retry", after=50, take=1)
    run.when(fail_step, "a", 3, BUSY, after=60).then("StepFailed(a)", "ExecutionFailed(a)")


def test_what_the_retry_answers_is_what_counts(begin):
    run = begin({"a": [], "b": ["a"]}, a=THRICE, b={"message": "{{ steps.a.output }} {{ steps.a.error || 'fine' }}"})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.given(fire_timer, "a", "retry", after=11, take=1)
    run.when(complete_step, "a", 2, "done", after=12, take=0).then("StepCompleted(a)", "StepScheduled(b)")
    assert run.execution.steps["b"].message == "done fine"


def test_without_a_delay_the_next_attempt_is_due_in_the_same_decision(begin):
    run = begin({"a": []}, a={"retry": {"max_attempts": 2, "delay": 0}})
    run.when(fail_step, "a", 1, BUSY, after=1, take=1).then(
        "StepFailed(a)", "StepRetryScheduled(a)", "StepScheduled(a)", "StepStarted(a)"
    )
    assert run.timers == {}


@pytest.mark.parametrize(
    ("asked", "waits"), [(timedelta(seconds=3), 10), (timedelta(minutes=2), 120), (timedelta(days=30), 86_400)]
)
def test_an_agent_that_asks_to_be_left_alone_is_left_alone_for_a_day_at_most(begin, asked, waits):
    run = begin({"a": []}, a=THRICE)
    run.given(fail_step, "a", 1, StepError("rate_limited", "slow down", retry_after=asked), after=0)
    assert run.due("a", "retry") == waits


@pytest.mark.parametrize(
    ("retry", "error"),
    [
        ({}, StepError("bad_request", "no", permanent=True)),
        ({"retry_on": ["rate_limited"]}, BUSY),
        ({"give_up_on": ["agent_error"]}, BUSY),
    ],
)
def test_errors_that_the_policy_does_not_want_are_not_retried(begin, retry, error):
    run = begin({"a": []}, a={"retry": {"max_attempts": 3, "delay": 1, **retry}})
    run.when(fail_step, "a", 1, error, after=1).then("StepFailed(a)", "ExecutionFailed(a)")


def test_what_is_asked_for_is_named_in_the_retry(begin):
    run = begin({"a": []}, a=THRICE)
    run.given(fail_step, "a", 1, BUSY, after=1)
    retry = run.last(StepRetryScheduled)
    assert (retry.attempt, retry.code) == (2, "agent_error")


def test_a_failed_step_may_be_left_out(begin):
    run = begin({"a": [], "b": ["a"]}, a={"on_error": "skip_step"}, b={"message": "{{ steps.a.error.message }}"})
    run.when(fail_step, "a", 1, BUSY, after=1, take=0).then("StepFailed(a)", "StepSkipped(a)", "StepScheduled(b)")
    assert run.execution.steps["b"].message == "busy"
    assert run.status("a") == "skipped"


def test_an_error_may_lead_elsewhere(begin):
    graph = {"a": [], "b": ["a"], "repair": [], "end": ["b", "repair"]}
    run = begin(graph, a={"on_error": {"goto_step": "repair"}}, repair={"message": "{{ steps.a.error.code }}"})
    run.when(fail_step, "a", 1, BUSY, after=1).then(
        "StepFailed(a)", "StepDiverted(a)", "StepSkipped(b)", "StepScheduled(repair)"
    )
    assert run.execution.steps["repair"].message == "agent_error"


def test_where_errors_lead_nothing_happens_without_one(begin):
    graph = {"a": [], "b": ["a"], "repair": [], "end": ["b", "repair"]}
    run = begin(graph, take=1, a={"on_error": {"goto_step": "repair"}})
    run.when(complete_step, "a", 1, "fine", after=1, take=1).then(
        "StepCompleted(a)", "StepScheduled(b)", "StepStarted(b)", "StepSkipped(repair)"
    )
    run.when(complete_step, "b", 1, "fine", after=2, take=0).then("StepCompleted(b)", "StepScheduled(end)")


def test_where_errors_lead_may_also_be_where_success_leads(begin):
    run = begin({"a": [], "b": ["a"]}, a={"on_error": {"goto_step": "b"}})
    assert run.when(complete_step, "a", 1, "fine", after=1).names[1] == "StepScheduled(b)"


def test_what_cannot_be_worked_out_is_an_error_of_the_step(begin):
    run = begin({"a": [], "b": ["a"], "c": ["b"]}, b={"condition": "steps.a.output > 1", "on_error": "skip_step"})
    run.when(complete_step, "a", 1, "text", after=1, take=0).then(
        "StepCompleted(a)", "StepFailed(b)", "ExecutionFailed(b)"
    )
    assert run.last(StepFailed).error.message.startswith("condition: ")


def test_what_cannot_be_worked_out_leads_where_errors_are_to_lead(begin):
    graph = {"a": [], "b": ["a"], "c": ["b"], "d": []}
    run = begin(graph, b={"condition": "steps.a.output > 1", "on_error": {"goto_step": "d"}})
    assert run.when(complete_step, "a", 1, "text", after=1, take=0).names[1:3] == ["StepFailed(b)", "StepDiverted(b)"]


def test_nothing_is_begun_once_the_execution_has_failed(begin):
    run = begin({"a": [], "b": ["a"], "c": ["a"]}, b={"condition": "steps.a.output > 1"})
    assert run.when(complete_step, "a", 1, "text", after=1).names[-1] == "ExecutionFailed(b)"
    assert run.status("c") is None


def test_a_late_answer_is_ignored_but_what_it_cost_is_booked_once(begin):
    run = begin({"a": [], "b": ["a"]}, a={"timeout": "30s", "on_timeout": "skip"})
    run.given(fire_timer, "a", "timeout", after=30)
    usage = Usage(input_tokens=5)
    late = ["StepAnswerIgnored(a)", "CostRecorded(a)"]
    run.when(complete_step, "a", 1, "late", after=31, usage=usage, cost=usd("0.5")).then(*late)
    assert (run.last(StepAnswerIgnored).reason, run.last(CostRecorded).cost) == ("step_timed_out", usd("0.5"))
    assert run.execution.steps["a"].costs == (usd("0.5"),)
    run.when(complete_step, "a", 1, "late", after=32, usage=usage, cost=usd("0.5")).then()
    run.when(fail_step, "a", 1, BUSY, after=33, cost=usd("0.5")).then()


def test_a_late_answer_to_an_earlier_attempt_leaves_the_next_one_alone(begin):
    run = begin({"a": []}, a={"timeout": "30s", **THRICE})
    run.given(fire_timer, "a", "timeout", after=30)
    run.given(fire_timer, "a", "retry", after=40, take=1)
    run.when(fail_step, "a", 1, BUSY, after=41).then("StepAnswerIgnored(a)")
    run.when(accept_step, "a", 1, after=42).then()
    run.when(complete_step, "a", 2, "fine", after=43).then("StepCompleted(a)", "ExecutionCompleted")


def test_an_answer_that_comes_after_the_execution_has_ended_is_ignored_too(begin):
    run = begin({"a": [], "b": []})
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.when(complete_step, "b", 1, 1, after=2, cost=usd("1")).then("StepAnswerIgnored(b)", "CostRecorded(b)")
    assert run.last(StepAnswerIgnored).reason == "execution_failed"
    assert run.execution.status == "failed"
    run = begin({"a": [], "b": []})
    run.given(cancel_execution, "enough", after=1)
    run.when(complete_step, "b", 1, 1, after=2).then("StepAnswerIgnored(b)")
    assert run.last(StepAnswerIgnored).reason == "execution_cancelled"


def test_a_step_that_costs_too_much_over_all_its_attempts_fails_and_is_not_retried(begin):
    run = begin({"a": []}, a={"max_cost": {"amount": "0.05", "currency": "USD"}, **THRICE})
    assert run.when(fail_step, "a", 1, BUSY, after=1, cost=usd("0.03")).names[-1] == "StepRetryScheduled(a)"
    run.given(fire_timer, "a", "retry", after=11, take=1)
    run.when(complete_step, "a", 2, "fine", after=12, cost=usd("0.0200000001")).then(
        "CostRecorded(a)", "StepFailed(a)", "ExecutionFailed(a)"
    )
    assert run.last(StepFailed).error.code == "max_cost_exceeded"


def test_a_step_may_cost_exactly_what_it_may_and_other_currencies_do_not_count(begin):
    run = begin({"a": []}, a={"max_cost": {"amount": "0.05", "currency": "USD"}, **THRICE})
    run.given(fail_step, "a", 1, BUSY, after=1, cost=Money(Decimal(7), "EUR"))
    run.given(fire_timer, "a", "retry", after=11, take=1)
    done = run.when(complete_step, "a", 2, "fine", after=12, cost=usd("0.05")).names
    assert done[-1] == "ExecutionCompleted"


def test_a_failed_attempt_that_cost_too_much_is_not_retried_either(begin):
    run = begin({"a": []}, a={"max_cost": {"amount": "0.05", "currency": "USD"}, **THRICE})
    run.given(fail_step, "a", 1, BUSY, after=1, cost=usd("0.06"))
    error = run.last(StepFailed).error
    assert (error.code, error.permanent, run.execution.status) == ("max_cost_exceeded", True, "failed")
    assert "agent_error: busy" in error.message
