"""The operator's prices, from the log."""

from datetime import datetime
from decimal import Decimal

import msgspec

from domain.costs.events import PriceAdded
from domain.costs.unit_prices import UnitPrices
from domain.identity import PRICES_ID
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch
from store.mapper import decode

_PRICES = """select originator_version as version, state from stored_events
where originator_id = %(id)s and topic = 'PriceAdded' and originator_version < %(before)s
order by originator_version desc limit %(rows)s"""


class PerMillion(msgspec.Struct, frozen=True):
    """Prices of a million tokens of each class, as exact decimals; null: as input, reasoning as output."""

    input: str | None
    cache_read: str | None
    cache_write_5m: str | None
    cache_write_1h: str | None
    output: str | None
    reasoning: str | None


class UnitPricesView(msgspec.Struct, frozen=True):
    """The prices of one call. per_unit: of one other unit, by its name."""

    currency: str
    per_million: PerMillion
    per_unit: dict[str, str]


class PriceView(msgspec.Struct, frozen=True):
    """A price of the operator. valid_to: exclusive; null: until another one."""

    price_id: int
    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime | None
    currency: str
    per_million: PerMillion
    per_unit: dict[str, str]
    added_at: datetime
    added_by: str


def list_prices(
    reading: Reading, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT, min_position: int | None = None
) -> Page[PriceView]:
    """Return the operator's prices, the newest first. Raises BadCursor or NotYet."""
    before = 2**31 - 1 if cursor is None else _number(read_cursor("c", cursor))
    with reading.log(min_position) as (connection, freshness):
        rows = fetch(connection, _PRICES, {"id": PRICES_ID, "before": before, "rows": limit + 1})
    views = []
    for row in rows:
        event = decode("PriceAdded", bytes(row["state"]))
        assert isinstance(event, PriceAdded)
        prices = unit_prices_view(event.prices)
        views.append(
            PriceView(
                row["version"],
                event.provider,
                event.model,
                event.valid_from,
                event.valid_to,
                prices.currency,
                prices.per_million,
                prices.per_unit,
                event.at,
                event.actor,
            )
        )
    return page_of(views, limit, freshness, lambda view: write_cursor("c", str(view.price_id)))


def unit_prices_view(prices: UnitPrices) -> UnitPricesView:
    """Return prices with every amount as text."""
    per_million = PerMillion(*(_text(getattr(prices, name)) for name in PerMillion.__struct_fields__))
    return UnitPricesView(prices.currency, per_million, {name: f"{each:f}" for name, each in prices.per_unit.items()})


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _number(text: str) -> int:
    if not text.isdigit():
        raise bad_cursor()
    return int(text)
