"""Sizes: of the log, of each table, and of the database."""

from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import Reads
from edge.parameters import NO_PARAMETERS
from queries.sizes import SizesView, get_sizes

router = APIRouter(prefix="/sizes", tags=["operations"])


@router.get("", summary="Sizes on disk", dependencies=[NO_PARAMETERS], **openapi.query(SizesView))
def get(reading: Reads) -> Response:
    """Return the sizes on disk, in bytes; numbers of rows are estimates of PostgreSQL."""
    return view(get_sizes(reading))
