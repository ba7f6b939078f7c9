"""Costs of attempts: booked once, at the time of their call, and corrected without a loss."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from domain.agents.calls import StepError, Usage
from domain.costs.usage import Metered, TokenClasses
from domain.event import Cause
from domain.executions.decisions.cost import Correction, book_unreported, correct_costs
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.cost import CostRecorded
from domain.executions.state.evolution import fold
from domain.money import Money

BUSY = StepError("agent_error", "busy")
TWICE = {"retry": {"max_attempts": 2, "delay": 0}}


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def priced(amount: str | None, **facts: Any) -> Metered:
    calculated = None if amount is None else usd(amount)
    return Metered(provider="house", model="m", tokens=TokenClasses(5), calculated=calculated, **facts)


def test_a_reported_cost_counts_and_the_calculated_one_stands_beside_it(begin):
    run = begin({"a": []})
    run.given(complete_step, "a", 1, "x", after=1, cost=usd("1"), metered=priced("2", calculated_by="table"))
    recorded = run.last(CostRecorded)
    assert (recorded.cost, recorded.reported, recorded.calculated) == (usd("1"), usd("1"), usd("2"))
    assert (recorded.price_source, recorded.calculated_by) == ("reported", "table")


def test_a_calculated_cost_counts_if_none_is_reported(begin):
    run = begin({"a": []})
    run.given(fail_step, "a", 1, BUSY, after=1, metered=priced("2", calculated_by="table"))
    recorded = run.last(CostRecorded)
    assert (recorded.cost, recorded.reported, recorded.price_source) == (usd("2"), None, "table")


def test_the_cost_belongs_to_the_start_of_its_call(begin):
    run = begin({"a": []})
    run.given(complete_step, "a", 1, "x", after=90, usage=Usage(5))
    recorded = run.last(CostRecorded)
    assert recorded.at - recorded.called_at == timedelta(seconds=90)


def test_the_same_use_is_booked_once_in_an_execution(begin):
    run = begin({"a": []}, a=TWICE)
    run.given(fail_step, "a", 1, BUSY, after=1, take=1, metered=priced("2", usage_id="u"))
    run.when(complete_step, "a", 2, "x", after=2, metered=priced("2", usage_id="u")).then(
        "StepCompleted(a)", "ExecutionCompleted"
    )


def test_another_use_is_booked_beside_it(begin):
    run = begin({"a": []}, a=TWICE)
    run.given(fail_step, "a", 1, BUSY, after=1, take=1, metered=priced("2", usage_id="u"))
    run.given(complete_step, "a", 2, "x", after=2, metered=priced("2", usage_id="v"))
    assert run.execution.steps["a"].costs == (usd("2"), usd("2"))


def test_a_late_answer_is_booked(begin):
    run = begin({"a": []}, a={"timeout": "30s"})
    run.given(fire_timer, "a", "timeout", after=30)
    run.when(complete_step, "a", 1, "late", after=31, metered=priced("2")).then(
        "StepAnswerIgnored(a)", "CostRecorded(a)"
    )


def test_a_correction_counts_by_its_difference_once_and_a_reported_cost_stands(begin):
    run = begin({"a": []})
    run.given(complete_step, "a", 1, "x", after=1, metered=priced(None, flags=["price_missing"]))
    execution, event = run.execution, run.last(CostRecorded)
    cause, before = Cause(event.at, "user:ann"), None
    for amount in ("2", "1.5"):
        unfolding = correct_costs(execution, [Correction(event, 3, before, priced(amount))], "a price was added", cause)
        execution, before = fold(execution, unfolding.events), usd(amount)
    assert sum(cost.amount for cost in execution.steps["a"].costs) == Decimal("1.5")
    again = [Correction(event, 3, before, priced(amount)) for amount in ("1.5", None)]
    assert correct_costs(execution, again, "again", cause).events == []
    reported = replace(event, cost=usd("1"), reported=usd("1"))
    assert correct_costs(execution, [Correction(reported, 3, usd("1"), priced("2"))], "why", cause).events == []


def test_a_call_that_was_hung_up_is_booked_without_a_price(begin):
    run = begin({"a": []}, a={"timeout": "30s"})
    missing = Metered(model="m", flags=["usage_missing"])
    run.when(book_unreported, "a", 1, missing, after=1).then()
    run.given(fire_timer, "a", "timeout", after=30)
    run.when(book_unreported, "a", 1, missing, after=31).then("CostRecorded(a)")
    recorded = run.last(CostRecorded)
    assert (recorded.cost, recorded.flags) == (None, ["usage_missing"])
