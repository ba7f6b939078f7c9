"""Server-sent events: that read models have advanced, or what happens in one execution."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from api import openapi
from api.answers import encode
from api.feed import Feed
from api.parameters import StreamAsked
from api.references import execution_named
from api.refusals import BadRequest
from api.services import Services
from domain.refusal import Problem
from queries.events import EventView, list_execution_events
from queries.paging import LARGEST, MAX_LIMIT
from store.unit import Outage

HEARTBEAT_SECONDS = 15
# Under load a stream looks this often, not at every notification.
BREATH_SECONDS = 0.1

router = APIRouter(tags=["operations"])

_DESCRIBED = openapi.query(str, 404)
_DESCRIBED["responses"][200] = {
    "description": "`event: position` with `{position}`, or `event: event` with an event of the execution; the id is "
    "the position or the version, and `Last-Event-ID` goes on after it.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
_DESCRIBED["openapi_extra"] = {
    "parameters": [{"name": "Last-Event-ID", "in": "header", "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"}}]
}


@router.get("/stream", summary="What changes, as it changes", **_DESCRIBED)
async def stream(request: Request, asked: Annotated[StreamAsked, Query()]) -> Response:
    """Until the caller leaves. Pages listen here and ask again, with the position as `min_position`."""
    services: Services = request.app.state.services
    feed: Feed = request.app.state.feed
    last = _last_event_id(request)
    if asked.execution is None:
        content = _positions(services, feed, last)
    else:
        id = execution_named(asked.execution)
        first = await _page(services, id, last or 0)
        content = _events(services, feed, id, first, last or 0)
    return EventSourceResponse(content, ping=HEARTBEAT_SECONDS, sep="\n")


async def _positions(services: Services, feed: Feed, told: int | None) -> AsyncIterator[ServerSentEvent]:
    while not feed.closed:
        news = feed.news()
        try:
            position = await anyio.to_thread.run_sync(services.reading.progress.position)
        except Outage:
            position = 0
        if told is None or position > told:
            told = position
            yield ServerSentEvent(encode({"position": position}).decode(), event="position", id=str(position))
        await _rest(services, feed, news)


async def _events(
    services: Services, feed: Feed, id: UUID, page: list[EventView], version: int
) -> AsyncIterator[ServerSentEvent]:
    news = feed.news()
    while not feed.closed:
        for event in page:
            version = event.version
            yield ServerSentEvent(encode(event).decode(), event="event", id=str(version))
        if len(page) < MAX_LIMIT:
            await _rest(services, feed, news)
        news = feed.news()
        try:
            page = await _page(services, id, version)
        except Outage:
            page = []


async def _page(services: Services, id: UUID, after: int) -> list[EventView]:
    def read() -> list[EventView]:
        return [*list_execution_events(services.reading, id, after=after, limit=MAX_LIMIT).items]

    return await anyio.to_thread.run_sync(read)


async def _rest(services: Services, feed: Feed, news: asyncio.Event) -> None:
    await feed.wait(news, services.stream_check_seconds)
    if not feed.closed:
        await asyncio.sleep(BREATH_SECONDS)


def _last_event_id(request: Request) -> int | None:
    given = request.headers.get("last-event-id")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 18 and int(given) <= LARGEST):
        message = "Last-Event-ID is the id of an event that this stream sent"
        raise BadRequest(message, [Problem("invalid_header", message, "Last-Event-ID")], code="invalid_header")
    return int(given)
