"""The calculator of costs: from the use of one call and the prices at its time to an exact amount. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Context, Decimal, Inexact
from typing import Protocol

import msgspec
from msgspec.structs import replace

from domain.costs.flags import (
    MODEL_UNKNOWN,
    PRICE_MISSING,
    PROVIDER_UNKNOWN,
    TIER_UNPRICED,
    USAGE_IMPOSSIBLE,
    USAGE_MISSING,
)
from domain.costs.prices import PriceList
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import Metered, TokenClasses
from domain.money import Money

OVERRIDE = "override"
REPORTED = "reported"
STANDARD_TIERS = frozenset(("", "default", "standard"))
_EXACT = Context(prec=400, traps=[Inexact])
_MILLION = Decimal(1_000_000)


class FoundPrices(msgspec.Struct, frozen=True):
    """The prices of a table for one call. prices: None: the table has none. flag: why."""

    prices: UnitPrices | None = None
    source: str = ""
    flag: str = ""


class PriceTable(Protocol):
    """A table of public prices."""

    def find(self, provider: str, model: str, at: datetime, tier: str, all_input: int) -> FoundPrices:
        """Return the prices of one call; all_input: its tokens of every class of input, which tiers go by."""


class NoPrices:
    """A table without a price."""

    def find(self, provider: str, model: str, at: datetime, tier: str, all_input: int) -> FoundPrices:
        """Return no prices."""
        return FoundPrices(flag=PRICE_MISSING)


class Unpriced(Exception):
    """A count has no price; the message is its name."""


def amount_of(tokens: TokenClasses, units: Mapping[str, int], prices: UnitPrices) -> Money:
    """Return the exact amount of one call. Raises Unpriced if a count above 0 has no price."""
    total = Decimal(0)
    for name, count in tokens.counts.items():
        if count:
            total = _EXACT.add(total, _EXACT.divide(_EXACT.multiply(count, _known(prices.of(name), name)), _MILLION))
    for name, count in units.items():
        if count:
            total = _EXACT.add(total, _EXACT.multiply(count, _known(prices.per_unit.get(name), name)))
    return Money(total, prices.currency)


def calculate(metered: Metered, overrides: PriceList, table: PriceTable) -> Metered:
    """Return `metered` with what it costs, or with the flag that says why no price applies.

    The operator's prices precede the table, and may be of a model whose provider is not known. Each call is priced by
    itself: tiers apply to the input of one call.
    """
    if metered.called_at is None:
        return metered
    if USAGE_IMPOSSIBLE in metered.flags or USAGE_MISSING in metered.flags:
        return metered
    if metered.tokens is None and not metered.units:
        return _flagged(metered, USAGE_MISSING)
    tokens = metered.tokens or TokenClasses()
    used = any(tokens.counts.values()) or any(metered.units.values())
    if not metered.model:
        return _flagged(metered, MODEL_UNKNOWN if metered.provider else PROVIDER_UNKNOWN) if used else metered
    standard = metered.tier in STANDARD_TIERS
    own = overrides.find(metered.provider, metered.model, metered.called_at) if standard else None
    found = FoundPrices(own, OVERRIDE)
    if own is None and not metered.provider:
        found = FoundPrices(flag=PROVIDER_UNKNOWN)
    elif own is None:
        tier = "" if standard else metered.tier
        found = table.find(metered.provider, metered.model, metered.called_at, tier, tokens.all_input)
    if found.prices is None:
        flag = found.flag or (PRICE_MISSING if standard else TIER_UNPRICED)
        return _flagged(metered, flag) if used else metered
    return _priced(metered, tokens, found.prices, found.source)


def _priced(metered: Metered, tokens: TokenClasses, prices: UnitPrices, source: str) -> Metered:
    try:
        amount = amount_of(tokens, metered.units | _each_call(prices), prices)
    except Unpriced as missing:
        return _flagged(metered, f"no_price_for_{missing}")
    return replace(metered, calculated=amount, unit_prices=prices, calculated_by=source)


def _each_call(prices: UnitPrices) -> dict[str, int]:
    """Return the unit that every call uses once, where it has a price."""
    return {"requests": 1} if "requests" in prices.per_unit else {}


def _known(price: Decimal | None, name: str) -> Decimal:
    if price is None:
        raise Unpriced(name)
    return price


def _flagged(metered: Metered, flag: str) -> Metered:
    return replace(metered, flags=[*metered.flags, flag])


Calculate = Callable[[Metered], Metered]
