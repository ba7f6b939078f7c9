"""Workers: who carries out steps, and what each has claimed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.metrics import MOST
from queries.workers import SHOWN, list_workers
from web.forms import PageParameters
from web.operations.tabs import tab

LEASES_SECONDS = 2

router = APIRouter(prefix="/operations/workers")


@router.get("", **requires(READ))
def list_(request: Request, reading: Reads, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of workers, the longest running first."""
    found = list_workers(reading, cursor=given.cursor)
    return tab(
        request,
        "workers.html",
        name="Workers",
        freshness=found,
        every=LEASES_SECONDS,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        most=MOST,
        shown_attempts=SHOWN,
    )
