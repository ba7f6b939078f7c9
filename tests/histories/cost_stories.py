"""What happened in the golden histories of costs and prices. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from domain.agents.calls import StepError, Usage
from domain.costs.prices import PriceList, RepricedPeriod, add_price, fold, record_repricing
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import Metered, TokenClasses
from domain.event import Cause, Event
from domain.executions.decisions.cost import Correction, correct_costs
from domain.executions.decisions.execution import start_execution
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import Trigger
from domain.identity import PRICES_ID, process_id
from domain.money import Money
from domain.processes.plan import Plan

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PRICES = UnitPrices(
    "USD",
    input=Decimal("3"),
    cache_read=Decimal("0.30"),
    cache_write_5m=Decimal("3.75"),
    cache_write_1h=Decimal("6"),
    output=Decimal("15"),
    reasoning=Decimal("15"),
    per_unit={"web_searches": Decimal("0.01")},
)
METERED = Metered(
    provider="anthropic",
    model="claude-sonnet-4-5",
    tokens=TokenClasses(900, 100, 150, 50, 340, 40),
    units={"web_searches": 2},
    usage_id="call-1",
    tier="standard",
    flags=["write_term_assumed"],
    called_at=BEGIN,
    calculated=Money(Decimal("0.02869250"), "USD"),
    unit_prices=PRICES,
    calculated_by="override",
)


def _cause(second: int) -> Cause:
    return Cause(BEGIN + timedelta(seconds=second), "user:ann", f"request-{second}", "tie")


def prices(_: Plans) -> Told:
    """A price, and one for a month that precedes it."""
    events = add_price(PriceList(), "Anthropic", "claude-sonnet-4-5", BEGIN, None, PRICES, _cause(0))
    month = BEGIN + timedelta(days=31), BEGIN + timedelta(days=59)
    cheaper = UnitPrices("EUR", input=Decimal("1.5"))
    events += add_price(fold(PriceList(), events), "anthropic", "claude-sonnet-4-5", *month, cheaper, _cause(1))
    return PRICES_ID, events


def execution_priced(plans: Plans) -> Told:
    """One use is calculated, one reported, one not priced and corrected twice."""
    id = UUID(int=60)
    plan = plans[process_id("golden"), 1]
    begun = start_execution(id, plan, {"topic": "käse", "deep": False}, Trigger(), _cause(0))
    events, execution = begun.events, begun.execution
    raw = {"input_tokens": 900, "output_tokens": 340}
    cost = Money(Decimal("0.03"), "USD")
    for step, facts in (("gather", {}), ("check", {"cost": cost, "metered": replace(METERED, usage_id="call-2")})):
        unfolding = start_step(execution, step, 1, _cause(1))
        events, execution = events + unfolding.events, unfolding.execution
        given = {"usage": Usage(1200, 340, 100, raw), "metered": METERED} | facts
        unfolding = complete_step(execution, step, 1, {"found": step}, _cause(2), **given)
        events, execution = events + unfolding.events, unfolding.execution
    unfolding = start_step(execution, "write", 1, _cause(3))
    events, execution = events + unfolding.events, unfolding.execution
    unknown = Metered(provider="house", model="own", tokens=TokenClasses(10), flags=["price_missing"], called_at=BEGIN)
    recorded = execution.version + 1
    error = StepError("agent_error", "busy")
    unfolding = fail_step(execution, "write", 1, error, _cause(4), usage=Usage(10), metered=unknown)
    events, execution = events + unfolding.events, unfolding.execution
    booked = events[recorded - 1]
    assert isinstance(booked, CostRecorded)
    before = None
    for second, amount in ((5, "0.00003"), (6, "0.000015")):
        priced = replace(METERED, calculated=Money(Decimal(amount), "USD"))
        unfolding = correct_costs(
            execution, [Correction(booked, recorded, before, priced)], "the price was added", _cause(second)
        )
        events, execution, before = events + unfolding.events, unfolding.execution, priced.calculated
    return id, events


def prices_and_repricing(_: Plans) -> Told:
    """A price, and the costs of before priced anew by it."""
    events = add_price(PriceList(), "house", "own", BEGIN, None, PRICES, _cause(0))
    until = BEGIN + timedelta(days=1)
    given = RepricedPeriod("house", "own", BEGIN, until)
    events += record_repricing(given, "the price was added", 3, [Money(Decimal("0.5"), "USD")], _cause(1))
    return PRICES_ID, events


STORIES: dict[str, Callable[[Plans], Told]] = {
    "prices": prices,
    "execution-priced": execution_priced,
    "prices-repriced": prices_and_repricing,
}
