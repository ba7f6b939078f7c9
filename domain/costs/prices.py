"""The operator's prices: they share one stream, because a price precedes those added before it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.costs.events import CostsRepriced, PriceAdded
from domain.costs.unit_prices import UnitPrices
from domain.event import Cause, Event, record
from domain.money import CURRENCY, Money
from domain.refusal import Forbidden, Malformed, Problem

MOST_PRICES = 10_000
TOKEN_PRICES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")


class PriceList(msgspec.Struct, frozen=True):
    """Every price ever added, by provider and model, oldest first. version: events folded so far."""

    version: int = 0
    entries: dict[str, list[PriceAdded]] = {}

    def find(self, provider: str, model: str, at: datetime) -> UnitPrices | None:
        """Return the prices of a call at the time `at`: the entry added last of those that are valid then."""
        for entry in reversed(self.entries.get(key_of(provider, model), [])):
            if entry.valid_from <= at and (entry.valid_to is None or at < entry.valid_to):
                return entry.prices
        return None

    @property
    def all(self) -> list[PriceAdded]:
        """All entries, the newest first."""
        every = [entry for entries in self.entries.values() for entry in entries]
        return sorted(every, key=lambda entry: entry.at, reverse=True)


class TooManyPrices(Forbidden):
    """The number of prices is bounded."""

    code = "too_many_prices"


def key_of(provider: str, model: str) -> str:
    """Return the key of a model: names differ in more than case."""
    return f"{provider.lower()} {model.lower()}"


def fold(prices: PriceList, events: Iterable[Event]) -> PriceList:
    """Return the list after all `events`, in order. Raises TypeError for an event of another noun."""
    entries, version = dict(prices.entries), prices.version
    for event in events:
        if isinstance(event, PriceAdded):
            key = key_of(event.provider, event.model)
            entries[key] = [*entries.get(key, []), event]
        elif not isinstance(event, CostsRepriced):
            raise TypeError(f"{type(event).__name__} does not happen to prices")
        version += 1
    return PriceList(version, entries)


def add_price(
    prices: PriceList,
    provider: str,
    model: str,
    valid_from: datetime,
    valid_to: datetime | None,
    unit_prices: UnitPrices,
    cause: Cause,
) -> list[Event]:
    """Add a price. Returns no events when the entry that counts says the same. Raises Malformed or TooManyPrices."""
    problems = [*_problems(unit_prices)]
    if valid_to is not None and valid_to <= valid_from:
        problems.append(Problem("invalid_period", "valid_to is later than valid_from", "valid_to"))
    if problems:
        raise Malformed(problems[0].message, problems)
    if prices.version >= MOST_PRICES:
        raise TooManyPrices(f"there are {MOST_PRICES:,} prices; no more can be added")
    provider, model = provider.lower(), model.lower()
    last = prices.entries.get(key_of(provider, model), [None])[-1]
    facts = (provider, model, valid_from, valid_to, unit_prices)
    if last is not None and facts == (last.provider, last.model, last.valid_from, last.valid_to, last.prices):
        return []
    added = record(
        PriceAdded,
        cause,
        provider=provider,
        model=model,
        valid_from=valid_from,
        valid_to=valid_to,
        prices=unit_prices,
    )
    return [added]


class RepricedPeriod(msgspec.Struct, frozen=True):
    """The calls that are priced anew: of a model, started from `begin` and before `end`. provider: empty: any."""

    provider: str
    model: str
    begin: datetime
    end: datetime


def record_repricing(
    period: RepricedPeriod, reason: str, corrected: int, difference: list[Money], cause: Cause
) -> list[Event]:
    """Record that costs were priced anew. corrected: how many changed; difference: by how much, by currency."""
    facts = msgspec.structs.asdict(period) | {"reason": reason, "corrected": corrected, "difference": difference}
    return [record(CostsRepriced, cause, **facts)]


def _problems(prices: UnitPrices) -> Iterable[Problem]:
    if not CURRENCY.fullmatch(prices.currency):
        yield Problem("invalid_currency", "a currency is a three-letter ISO 4217 code such as USD", "currency")
    named: Mapping[str, Decimal | None] = {
        **{f"per_million.{name}": getattr(prices, name) for name in TOKEN_PRICES},
        **{f"per_unit.{name}": price for name, price in prices.per_unit.items()},
    }
    if all(price is None for price in named.values()):
        yield Problem("missing", "a price states at least one amount; free is an explicit 0", "per_million")
    for path, price in named.items():
        if price is not None and price < 0:
            yield Problem("out_of_range", "a price is not negative", path)
