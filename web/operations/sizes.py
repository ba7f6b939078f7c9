"""Sizes: of the log, of each table, and of the database."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.sizes import get_sizes
from web.operations.tabs import EVERY_SECONDS, tab

router = APIRouter(prefix="/operations/sizes")


@router.get("", **requires(READ))
def sizes(request: Request, reading: Reads) -> Response:
    """Return the page of sizes on disk, the largest table first."""
    found = get_sizes(reading)
    largest = max((each.bytes for each in found.tables), default=0)
    return tab(
        request, "sizes.html", name="Sizes", freshness=found, every=EVERY_SECONDS, found=found, largest=max(largest, 1)
    )
