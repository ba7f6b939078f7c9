"""Measures of executions: the split adds up to the duration, and each moment counts once, for the right phase."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest

from domain.analytics.measures import MICROSECOND, ExecutionMeasure, waiting_phases
from domain.analytics.measuring import begun, measure
from domain.money import Money

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
USAGE = SimpleNamespace(input_tokens=3, output_tokens=0)


def at(seconds):
    return BEGIN + timedelta(seconds=seconds)


def measured(*events):
    """The measure of an execution that starts at second 0; events: (second, stored name, fields)."""
    trigger = SimpleNamespace(type="manual")
    started = SimpleNamespace(process_id=UUID(int=1), version=2, trigger=trigger, parent=None, body="", at=BEGIN)
    found = begun(started)
    for number, (second, topic, fields) in enumerate(events, 2):
        measure(found, topic, number, SimpleNamespace(**{"at": at(second), "agent": "echo"} | fields))
    return found


def on(step, second, topic, **fields):
    return second, topic, {"step": step, **fields}


def completed(second):
    return second, "ExecutionCompleted", {}


def failed(second, code="agent_error", step="a"):
    return second, "ExecutionFailed", {"error": msgspec.json.encode({"code": code}), "step": step}


def split(found: ExecutionMeasure):
    seconds = {name: each.total_seconds() for name, each in waiting_phases(found.phases).items() if each}
    return {"working": found.phases[0].total_seconds(), "retrying": found.phases[1].total_seconds(), **seconds}


def test_each_moment_counts_once_and_the_split_adds_up_to_the_duration():
    found = measured(
        (0, "ExecutionQueued", {}),
        (5, "ExecutionAdmitted", {}),
        on("a", 5, "StepScheduled"),
        on("a", 6, "StepStarted"),
        on("b", 6, "ApprovalRequested"),
        on("a", 10, "StepFailed"),
        on("a", 10, "StepRetryScheduled"),
        on("a", 13, "StepScheduled"),
        on("a", 15, "StepStarted"),
        on("a", 16, "StepCompleted"),
        on("b", 20, "StepCompleted"),
        on("c", 20, "TimerStarted"),
        on("d", 21, "SubProcessStarted", wait=True),
        on("d", 23, "StepCompleted"),
        on("c", 30, "StepCompleted"),
        completed(30),
    )
    expected = {"working": 5, "retrying": 3, "queue": 6, "approval": 6, "timer": 8, "child": 2}
    assert split(found) == expected
    assert found.duration.total_seconds() == sum(expected.values()) == 30
    worked = {step: (each.worked.total_seconds(), each.waited.total_seconds()) for step, each in found.steps.items()}
    assert worked == {"a": (5, 0), "b": (0, 14), "c": (0, 10), "d": (0, 2)}
    assert found.duration // MICROSECOND == 30_000_000


def test_a_failure_that_is_retried_takes_the_end_back_and_the_time_between_is_retrying():
    attempt = on("a", 0, "StepScheduled"), on("a", 0, "StepStarted"), on("a", 2, "StepFailed"), failed(2)
    assert (measured(*attempt).outcome, measured(*attempt).failed_step) == ("failed", "a")
    again = (9, "ExecutionRetried", {"steps": ["a"]}), on("a", 9, "StepScheduled"), on("a", 10, "StepStarted")
    found = measured(*attempt, *again)
    assert (found.outcome, found.ended_at, found.error_code) == ("", None, "")
    found = measured(*attempt, *again, on("a", 14, "StepCompleted"), completed(14))
    assert split(found) == {"working": 6, "retrying": 7, "queue": 1}
    assert found.steps["a"].worked.total_seconds() == 6


@pytest.mark.parametrize(
    ("code", "by_time"), [("step_timed_out", True), ("deadline_exceeded", True), ("agent_error", False)]
)
def test_a_failure_by_a_time_limit_is_told_from_others(code, by_time):
    assert measured(failed(1, code)).is_timed_out is by_time


def test_no_time_passes_backwards_or_after_the_end():
    found = measured(
        on("a", 4, "StepScheduled"),
        on("a", 2, "StepStarted"),
        on("a", 6, "StepCompleted"),
        completed(5),
        on("a", 60, "StepStarted"),
        completed(70),
    )
    assert (found.ended_at, found.duration.total_seconds()) == (at(5), 6)
    assert split(found) == {"working": 2, "retrying": 0, "queue": 4}


def cost(amount, usage=None, currency="USD", flags=()):
    return {"cost": None if amount is None else Money(Decimal(amount), currency), "usage": usage, "flags": flags}


def corrected(recorded, before, after):
    money = [None if amount is None else Money(Decimal(amount), "USD") for amount in (before, after)]
    return on("a", 9, "CostCorrected", recorded=recorded, before=money[0], after=money[1])


def test_costs_count_by_execution_and_step_and_a_use_without_a_price_is_apart():
    recorded = (
        on("a", 1, "CostRecorded", **cost("0.10")),
        on("a", 1, "CostRecorded", **cost("0")),
        on("a", 1, "CostRecorded", **cost(None, USAGE)),
        on("a", 1, "CostRecorded", **cost(None)),
        completed(2),
        on("b", 3, "CostRecorded", **cost("2", currency="EUR")),
    )
    found = measured(*recorded)
    assert dict(found.spent.costs()) == {"USD": Decimal("0.10"), "EUR": Decimal(2)}
    assert (found.spent.unpriced, found.steps["a"].spent.unpriced, found.steps["b"].spent.unpriced) == (1, 1, 0)
    priced = measured(*recorded, corrected(4, None, "0.20"))
    assert (priced.spent.unpriced, dict(priced.spent.costs())["USD"]) == (0, Decimal("0.30"))
    taken = measured(*recorded, corrected(2, "0.10", None), corrected(3, "0", None))
    assert (taken.spent.unpriced, dict(taken.spent.costs())) == (3, {"EUR": Decimal(2)})
