"""The page that tries a cost limit out on the past, drawn day by day; it raises nothing."""

from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from domain.calendar.zones import parse_zone
from domain.money import parse_money
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.references import process_named
from edge.scopes import READ, requires
from edge.visibility import require_visible_process
from queries.thresholds import LONGEST_DAYS, ProposedThreshold, Simulation, simulate_threshold
from web.alerts import SPANS
from web.forms import PageParameters
from web.layout import page

HEIGHT = 120

router = APIRouter(prefix="/alerts/what-if")


class WhatIfParameters(PageParameters):
    """A limit to try out; nothing is tried without a process and an amount."""

    process: Annotated[str, Query(max_length=64)] = ""
    kind: str = "daily"
    amount: Annotated[str, Query(max_length=60)] = ""
    currency: Annotated[str, Query(max_length=3)] = "USD"
    timezone: Annotated[str, Query(max_length=64)] = "UTC"
    days: int = 30


class DrawnWindow(msgspec.Struct, frozen=True):
    """A bar: percent from the left and of the width, the height of the total, and whether it reached the limit."""

    x: float
    width: float
    height: float
    begins: str
    total: str
    reached: bool


@router.get("", **requires(READ, listed=True))
async def what_if(
    request: Request, reading: Reads, caller: Caller, given: Annotated[WhatIfParameters, Query()]
) -> Response:
    """Return the page with the form, and with what the limit would have raised."""
    found, problem = None, ""
    if given.process and given.amount:
        id = process_named(given.process)
        await require_visible_process(door_of(request), caller, id)
        try:
            amount = parse_money(given.amount, given.currency).amount
            parse_zone(given.timezone)
            if amount <= 0:
                raise ValueError("an amount here is more than nothing")
            proposed = ProposedThreshold(
                process_id=id,
                kind=given.kind if given.kind in SPANS else "daily",
                amount=amount,
                currency=given.currency,
                timezone=given.timezone,
                days=min(max(given.days, 1), LONGEST_DAYS),
            )
            found = simulate_threshold(reading, proposed, door_of(request).clock.now())
        except ValueError as error:
            problem = str(error)
    bars, limit = ([], 0.0) if found is None else _drawn(found, Decimal(given.amount))
    return page(
        request,
        "alert-what-if.html",
        title="Try a cost limit",
        nav="Cost alerts",
        code=422 if problem else 200,
        crumbs=[("Cost alerts", "/alerts"), ("Try a limit", None)],
        given=given,
        spans=SPANS,
        found=found,
        problem=problem,
        bars=bars,
        limit=limit,
        height=HEIGHT,
    )


def _drawn(found: Simulation, amount: Decimal) -> tuple[list[DrawnWindow], float]:
    """Return the bars, and the height of the line of the limit."""
    totals = [Decimal(each.total) for each in found.totals]
    highest = max([*totals, amount * Decimal("1.2")])
    width = 100 / max(len(totals), 1)
    bars = [
        DrawnWindow(
            round(n * width, 3),
            round(width * 0.8, 3),
            round(float(max(total, Decimal(0)) / highest) * HEIGHT, 2),
            getattr(each.window, "from").date().isoformat(),
            each.total,
            total >= amount,
        )
        for n, (each, total) in enumerate(zip(found.totals, totals, strict=True))
    ]
    return bars, round(float(amount / highest) * HEIGHT, 2)
