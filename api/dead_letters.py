"""Dead letters: the events that read models could not digest."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import Reads
from edge.parameters import Paged
from queries.dead_letters import DeadLetterView, list_dead_letters
from queries.paging import Page

router = APIRouter(prefix="/dead-letters", tags=["operations"])


class DeadLetterFilters(Paged):
    """Filters of the dead letters."""

    projection: Annotated[str, Field(max_length=100, description="Only those of this read model.")] | None = None


@router.get("", summary="List dead letters", **openapi.query(Page[DeadLetterView]))
def list_(reading: Reads, given: Annotated[DeadLetterFilters, Query()]) -> Response:
    """List the events that read models could not digest, the newest first; their rows lack these events."""
    return view(list_dead_letters(reading, projection=given.projection, **given.page))
