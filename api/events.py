"""Events: the log itself, page by page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.parameters import LogPage
from queries.events import EventView, list_events
from queries.paging import Page

router = APIRouter(tags=["operations"])


@router.get("/events", summary="The log", **openapi.query(Page[EventView]))
def list_(request: Request, asked: Annotated[LogPage, Query()]) -> Response:
    """Every event in order. With `type`, a page may be short or empty although the list goes on."""
    reading = request.app.state.services.reading
    return view(list_events(reading, types=asked.type, after=asked.after, **asked.page))
