"""Scripted agents: every script, its exact usage and cost, and the record of calls."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.agents.calls import Completed, Failed, StepError, Usage
from domain.money import Money


def scripted(rig, script, **config):
    return rig.config(kind="scripted", script=script, **config)


def test_echo_counts_words(rig):
    assert rig.ask(scripted(rig, "echo"), rig.call("one two  three")) == Completed("one two  three", Usage(3, 3))
    assert rig.ask(scripted(rig, "echo"), rig.call({"a": "x y"})) == Completed({"a": "x y"}, Usage(2, 2))


@pytest.mark.parametrize("none", ["none", None])
def test_usage_may_be_left_out(rig, none):
    assert rig.ask(scripted(rig, "echo", usage=none)) == Completed("hello there")


def test_usage_and_cost_are_as_configured(rig):
    cost = {"amount": "0.00490", "currency": "EUR"}
    config = scripted(rig, "echo", usage={"input_tokens": 5, "output_tokens": 6, "cached_tokens": 1}, cost=cost)
    answer = rig.ask(config)
    assert answer == Completed("hello there", Usage(5, 6, 1), Money(Decimal("0.0049"), "EUR"))
    assert str(answer.cost.amount) == "0.00490"


def test_json_echo_gives_back_the_call(rig):
    answer = rig.ask(scripted(rig, "json_echo", usage="none"), rig.call("x", parameters={"p": 1}, attempt=2))
    assert answer.output == {"agent": "writer", "step": "write", "attempt": 2, "message": "x", "parameters": {"p": 1}}


def test_fail_fails_as_configured(rig):
    assert rig.ask(scripted(rig, "fail")) == Failed(StepError("agent_error", "the script says so"), Usage(2, 0))
    error = {"code": "out_of_ink", "message": "no ink", "permanent": True, "retry_after": "5s"}
    expected = StepError("out_of_ink", "no ink", permanent=True, retry_after=timedelta(seconds=5))
    assert rig.ask(scripted(rig, "fail", error=error, usage="none")) == Failed(expected)


def test_flaky_fails_its_first_attempts(rig):
    config = scripted(rig, "flaky", failures=2)
    answers = [rig.ask(config, rig.call(attempt=attempt)) for attempt in (1, 2, 3, 4)]
    assert [type(answer) for answer in answers] == [Failed, Failed, Completed, Completed]


def test_listed_answers_go_by_attempt_and_the_last_one_stays(rig):
    config = scripted(rig, "answers", answers=["a", None])
    assert [rig.ask(config, rig.call(attempt=n)).output for n in (1, 2, 3)] == ["a", None, None]


def test_named_answers_go_by_step(rig):
    config = scripted(rig, "answers", answers={"write": [1], "*": 2})
    assert rig.ask(config).output == [1]
    assert rig.ask(config, rig.call(step="other")).output == 2
    error = rig.ask(scripted(rig, "answers", answers={"read": 1})).error
    assert (error.code, error.permanent) == ("no_scripted_answer", True)


def test_what_does_not_wait_is_delivered_at_once_on_the_callers_thread(rig):
    rig.gateway.begin(rig.call(), scripted(rig, "echo"), rig.deliveries)
    assert rig.deliveries.threads == [threading.current_thread().name]
    assert rig.gateway.open_calls() == 0


def test_slow_is_delivered_after_its_delay_on_the_loops_thread(rig):
    rig.gateway.begin(rig.call("late"), scripted(rig, "slow", delay="20ms"), rig.deliveries)
    assert rig.gateway.open_calls() == 1
    assert rig.deliveries.next() == Completed("late", Usage(1, 1))
    assert rig.deliveries.threads == ["agent-calls"]
    assert rig.gateway.open_calls() == 0


@pytest.mark.parametrize("delay", [None, "5ms"])
def test_every_call_is_noted_in_the_record(rig, tmp_path, delay):
    record = tmp_path / "calls"
    config = scripted(rig, "echo", record=str(record), **({"delay": delay} if delay else {}))
    rig.ask(config)
    rig.ask(config, rig.call(attempt=2))
    assert record.read_text() == f"{rig.execution_id}:write:1\n{rig.execution_id}:write:2\n"


def test_a_record_outside_of_where_records_are_allowed_is_refused(rig, tmp_path, monkeypatch):
    outside = str(tmp_path.parent / "outside")
    assert rig.ask(scripted(rig, "echo", record=outside)).error.code == "record_not_allowed"
    monkeypatch.delenv("PROCESSION_RECORDS")
    assert rig.ask(scripted(rig, "echo", record=str(tmp_path / "calls"), delay="1s")).error.code == "record_not_allowed"


def test_a_record_that_cannot_be_written_is_a_failure(rig, tmp_path):
    error = rig.ask(scripted(rig, "echo", record=str(tmp_path / "no" / "calls"))).error
    assert (error.code, error.permanent) == ("record_failed", True)
