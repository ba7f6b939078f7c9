"""The page that tries a cost limit out on the past, drawn day by day; it raises nothing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from domain.money import parse_money
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.proposed_limits import simulated
from edge.references import process_named
from edge.scopes import READ, requires
from edge.visibility import require_visible_process
from queries.thresholds import LONGEST_DAYS, ProposedThreshold
from web.alerts import SPANS
from web.drawings.windows import draw_windows
from web.forms import PageParameters
from web.layout import page

router = APIRouter(prefix="/alerts/what-if")


class WhatIfParameters(PageParameters):
    """A limit to try out; nothing is tried without a process and an amount."""

    process: Annotated[str, Query(max_length=64)] = ""
    kind: str = "daily"
    amount: Annotated[str, Query(max_length=60)] = ""
    currency: Annotated[str, Query(max_length=3)] = "USD"
    timezone: Annotated[str, Query(max_length=64)] = "UTC"
    days: int = 30


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
            proposed = ProposedThreshold(
                process_id=id,
                kind=given.kind if given.kind in SPANS else "daily",
                amount=parse_money(given.amount, given.currency).amount,
                currency=given.currency,
                timezone=given.timezone,
                days=min(max(given.days, 1), LONGEST_DAYS),
            )
            found = simulated(reading, proposed, door_of(request).clock.now())
        except ValueError as error:
            problem = str(error)
    totals = [] if found is None else [(getattr(each.window, "from"), each.total) for each in found.totals]
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
        drawn=draw_windows(totals, (), given.amount) if totals else None,
    )
