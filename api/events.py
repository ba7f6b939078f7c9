"""Events: the log itself, page by page."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.admitted import Masking
from edge.dependencies import Reads
from edge.parameters import SEVERAL, StreamPage, Values
from queries.events import EventView, list_events
from queries.paging import Page

router = APIRouter(tags=["operations"])


class LogPage(StreamPage):
    """A page of the log: events with positions beyond `after`, or beyond the cursor."""

    type: Annotated[Values, Field(description=f"Stored names such as StepCompleted. {SEVERAL}")] = []


@router.get("/events", summary="The log", **openapi.query(Page[EventView]))
def list_(reading: Reads, masking: Masking, given: Annotated[LogPage, Query()]) -> Response:
    """List every event in order. With `type`, a page may be short or empty although the list goes on."""
    return view(masking.events(list_events(reading, types=given.type, after=given.after, **given.page)))
