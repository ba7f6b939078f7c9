"""The calculator: exact amounts, the order of the tables, and the flag of each use that has no price."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.calculator import OVERRIDE, FoundPrices, NoPrices, amount_of, calculate
from domain.costs.prices import PriceList, add_price, fold
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import Metered, TokenClasses
from domain.event import Cause
from domain.money import Money
from domain.refusal import Malformed

AT = datetime(2026, 3, 1, tzinfo=UTC)
CAUSE = Cause(AT, "user:ann")
PRICES = UnitPrices("USD", input=Decimal("3"), cache_read=Decimal("0.30"), output=Decimal("15"))
COUNTS = st.integers(0, 10**12)
PRICE = st.decimals(0, 1000, places=6)


def use(**facts: Any) -> Metered:
    return Metered(**{"provider": "house", "model": "m", "tokens": TokenClasses(1000), "called_at": AT} | facts)


class Table:
    """A table with one model; one of its tiers starts above 200 tokens of input."""

    def find(self, provider: str, model: str, at: datetime, tier: str, all_input: int) -> FoundPrices:
        if (provider, model, tier) != ("house", "m", ""):
            return FoundPrices()
        return FoundPrices(UnitPrices("USD", input=Decimal(2 if all_input > 200 else 1), output=Decimal(4)), "table 1")


@pytest.mark.parametrize(
    ("tokens", "units", "amount"),
    [
        (TokenClasses(1000), {}, "0.003"),
        (TokenClasses(cache_read=1), {}, "0.0000003"),
        (TokenClasses(cache_write_5m=1_000_000), {}, "3"),
        (TokenClasses(cache_write_1h=1_000_000), {}, "3"),
        (TokenClasses(output=100, reasoning=40), {}, "0.0015"),
        (TokenClasses(10, 20, 30, 40, 50), {}, "0.000996"),
        (TokenClasses(), {}, "0"),
    ],
)
def test_a_class_without_a_price_costs_as_the_wider_one(tokens: TokenClasses, units: Any, amount: str) -> None:
    assert amount_of(tokens, units, PRICES) == Money(Decimal(amount), "USD")


@given(st.builds(TokenClasses, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), PRICE, PRICE, PRICE)
def test_the_amount_is_the_exact_sum_of_counts_times_prices(
    tokens: TokenClasses, into: Decimal, read: Decimal, out: Decimal
) -> None:
    prices = UnitPrices("USD", input=into, cache_read=read, output=out)
    millionths = (tokens.all_input - tokens.cache_read) * int(into * 10**6) + tokens.cache_read * int(read * 10**6)
    millionths += tokens.output * int(out * 10**6)
    assert amount_of(tokens, {}, prices).amount.scaleb(12) == millionths


def test_prices_of_the_operator_precede_the_table_while_they_are_valid() -> None:
    until = AT + timedelta(days=1)
    prices = fold(PriceList(), add_price(PriceList(), "House", "M", AT, until, PRICES, CAUSE))
    found = [calculate(use(called_at=at), prices, Table()) for at in (AT - timedelta(1), AT, until)]
    assert [each.calculated_by for each in found] == ["table 1", OVERRIDE, "table 1"]
    assert [each.calculated for each in found] == [Money(Decimal(a), "USD") for a in ("0.002", "0.003", "0.002")]


def test_the_entry_added_last_counts_and_the_same_again_adds_nothing() -> None:
    prices = fold(PriceList(), add_price(PriceList(), "house", "m", AT, None, PRICES, CAUSE))
    free = UnitPrices("EUR", input=Decimal(0))
    prices = fold(prices, add_price(prices, "house", "m", AT, None, free, CAUSE))
    assert calculate(use(), prices, NoPrices()).calculated == Money(Decimal(0), "EUR")
    assert add_price(prices, "house", "m", AT, None, free, CAUSE) == []


def test_a_tier_of_the_table_applies_to_the_input_of_one_call() -> None:
    calls = [calculate(use(tokens=TokenClasses(count)), PriceList(), Table()) for count in (200, 201)]
    assert [each.calculated and each.calculated.amount for each in calls] == [Decimal("0.0002"), Decimal("0.000402")]


@pytest.mark.parametrize(
    ("facts", "flag"),
    [
        ({"provider": ""}, "provider_unknown"),
        ({"model": ""}, "model_unknown"),
        ({"model": "other"}, "price_missing"),
        ({"tier": "flex"}, "tier_unpriced"),
        ({"tokens": None}, "usage_missing"),
        ({"units": {"searches": 1}}, "no_price_for_searches"),
        ({"flags": ["usage_impossible"]}, "usage_impossible"),
    ],
)
def test_a_use_without_a_price_is_flagged_and_never_0(facts: Any, flag: str) -> None:
    priced = calculate(use(**facts), PriceList(), Table())
    assert (priced.calculated, priced.flags) == (None, [flag])


def test_nothing_used_needs_no_price() -> None:
    assert calculate(use(model="other", tokens=TokenClasses()), PriceList(), Table()).flags == []


@pytest.mark.parametrize("tier", ["", "default", "standard"])
def test_the_standard_tier_has_three_names(tier: str) -> None:
    assert calculate(use(tier=tier), PriceList(), Table()).calculated is not None


@pytest.mark.parametrize(
    ("prices", "path"),
    [
        (UnitPrices("USD"), "per_million"),
        (UnitPrices("usd", input=Decimal(1)), "currency"),
        (UnitPrices("USD", input=Decimal(-1)), "per_million.input"),
        (UnitPrices("USD", per_unit={"page": Decimal(-1)}), "per_unit.page"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(prices: UnitPrices, path: str) -> None:
    with pytest.raises(Malformed) as refused:
        add_price(PriceList(), "house", "m", AT, None, prices, CAUSE)
    assert [problem.path for problem in refused.value.problems] == [path]
