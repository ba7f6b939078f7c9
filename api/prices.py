"""The operator's prices: list, add."""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from msgspec import Meta
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.costs import AddPrice, NameOfModel
from domain.costs.prices import TOKEN_PRICES
from domain.costs.unit_prices import UnitPrices
from domain.money import MAX_DIGITS
from edge.command_request import Commanded
from edge.declared import Read
from edge.dependencies import Reads
from edge.parameters import Paged
from queries.paging import Page
from queries.prices import PriceView, list_prices

router = APIRouter(prefix="/prices", tags=["costs"])

MOST_UNITS = 50
Price = Annotated[str, Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?$")]


class TokenPrices(msgspec.Struct):
    """Prices of a million tokens of each class, as exact decimals. A class of input without a price costs as input."""

    input: Price | None = None
    cache_read: Price | None = None
    cache_write_5m: Price | None = None
    cache_write_1h: Price | None = None
    output: Price | None = None
    reasoning: Price | None = None


def _prices(field: str, known: tuple[str, ...] | None, value: Any, body: bytes) -> dict[str, Decimal]:
    """Return the exact prices in the object `field` of the body: texts, or numbers read by their digits."""
    if not isinstance(value, dict):
        raise ValueError(f"{field} is an object")
    stated: dict[str, Any] = json.loads(body, parse_float=Decimal, parse_int=Decimal)[field]
    if known is not None and (unknown := stated.keys() - set(known)):
        raise ValueError(f"{sorted(unknown)[0][:60]!r} is none of {', '.join(known)}")
    if len(stated) > MOST_UNITS or any(not name or len(name) > 200 or "\0" in name for name in stated):
        raise ValueError(f"at most {MOST_UNITS} names of 1 to 200 characters")
    return {name: _price(name, each) for name, each in stated.items() if each is not None}


def _price(name: str, stated: Any) -> Decimal:
    if not isinstance(stated, str | Decimal):
        raise ValueError(f'{name}: a price is a decimal such as "2.50"')
    try:
        price = Decimal(stated)
    except InvalidOperation:
        raise ValueError(f'{name}: a price is a decimal such as "2.50"') from None
    if not price.is_finite() or len(price.as_tuple().digits) > MAX_DIGITS or abs(price.adjusted()) > MAX_DIGITS:
        raise ValueError(f"{name}: a price is a finite decimal of at most {MAX_DIGITS} digits")
    return price


OfTokens = Annotated[Any, Read(partial(_prices, "per_million", TOKEN_PRICES), TokenPrices)]
OfUnits = Annotated[Any, Read(partial(_prices, "per_unit", None), dict[str, Price])]


class PriceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price. provider, model: as uses name them; provider "" is that of uses whose provider is not known.

    valid_to: exclusive; default: until another price. per_unit: of one other unit, by its name.
    """

    provider: Annotated[str, Meta(max_length=200)]
    model: NameOfModel
    valid_from: datetime
    valid_to: datetime | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    per_million: OfTokens = None
    per_unit: OfUnits = None


class PriceReceipt(CommandReceipt, kw_only=True):
    """The price counts from now on. duplicate: it did before."""

    price_id: int


@router.get("", summary="List prices", **openapi.query(Page[PriceView]))
def prices(reading: Reads, given: Annotated[Paged, Query()]) -> Response:
    """List the operator's prices, the newest first. Public prices apply where none of these does."""
    return view(list_prices(reading, **given.page))


@router.post("", summary="Add a price", **openapi.command(AddPrice, PriceReceipt, status=201, body=PriceBody))
async def add_price(request: Commanded) -> Response:
    """Add a price of a model; it precedes earlier ones and public ones. It changes no cost that is booked."""
    given = request.read(PriceBody)
    unit_prices = UnitPrices(given.currency, **(given.per_million or {}), per_unit=given.per_unit or {})
    command = AddPrice(given.provider, given.model, given.valid_from, unit_prices, given.valid_to)
    return await carry_out(request, request.handlers.costs.add, command, PriceReceipt)
