"""Costs: uses without a price, the operator's prices; add one, and price costs of before by it."""

from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.costs import AddPrice, RepriceCosts
from domain.costs.prices import TOKEN_PRICES, RepricedPeriod
from domain.costs.unit_prices import UnitPrices
from domain.refusal import Problem
from edge.dependencies import Reads, door_of
from edge.instants import parse_instant
from edge.principal import cause_of, principal_of
from edge.refusals import malformed
from edge.scopes import READ, requires
from queries.costs import find_uses, list_unpriced
from queries.prices import list_prices
from queries.reading import Reading
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import page

router = APIRouter(prefix="/costs")
WRITES = requires(AddPrice.scope)


@router.get("", **requires(READ))
def costs(request: Request, reading: Reads, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of uses without a price and of prices."""
    return _page(request, reading, given, None)


@router.post("/prices", **WRITES)
async def add_price(request: Request) -> Response:
    """Add a price, and return to the page."""
    fields = await form_fields(request, "provider", "model", "from", "currency", *TOKEN_PRICES)
    prices: dict[str, Any] = {name: _amount(name, fields[name]) for name in TOKEN_PRICES if fields[name]}
    command = AddPrice(
        fields["provider"],
        required(fields, "model"),
        parse_instant(required(fields, "from")),
        UnitPrices(required(fields, "currency"), **prices),
    )
    receipt = await carry_out(door_of(request).handlers.costs.add, command, cause_of(request))
    return RedirectResponse(f"/costs?min_position={receipt.position}&done=price-added", 303)


@router.post("/reprice", **WRITES)
async def reprice(request: Request) -> Response:
    """Price costs of a model anew, or show what that would change."""
    fields = await form_fields(request, "provider", "model", "from", "reason", "preview")
    door, cause = door_of(request), cause_of(request)
    begin = parse_instant(required(fields, "from"))
    period = RepricedPeriod(fields["provider"], required(fields, "model"), begin, cause.at)
    find = partial(find_uses, door.reading, period.model, begin, cause.at, period.provider)
    found = await anyio.to_thread.run_sync(find)
    rehearses = bool(fields["preview"])
    reason = fields["reason"] if rehearses else required(fields, "reason")
    command = RepriceCosts(period, found.uses, reason, rehearses, found.complete)
    receipt = await carry_out(door.handlers.costs.reprice, command, cause)
    if not rehearses:
        return RedirectResponse(f"/costs?min_position={receipt.position}&done=repriced", 303)
    shown = {**receipt.facts, "provider": period.provider, "model": period.model, "complete": found.complete}
    return await anyio.to_thread.run_sync(_page, request, door.reading, PageParameters(), shown)


def _page(request: Request, reading: Reading, given: PageParameters, rehearsed: dict[str, Any] | None) -> Response:
    found = list_unpriced(reading, min_position=given.min_position)
    prices = list_prices(reading, cursor=given.cursor)
    return page(
        request,
        "costs.html",
        title="Costs",
        nav="Costs",
        freshness=found,
        found=found,
        prices=prices.items,
        next_cursor=prices.next_cursor,
        given=given,
        classes=TOKEN_PRICES,
        rehearsed=rehearsed,
        writes=principal_of(request).may(AddPrice.scope),
    )


def _amount(name: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise malformed([Problem("invalid_value", 'a price is a decimal such as "2.50"', name)]) from None
