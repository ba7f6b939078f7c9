"""Server-sent events: the positions of read models as they advance, or the events of one execution."""

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
from edge.dependencies import StateChanges, TheDoor
from edge.door import Door
from edge.feed import Feed
from edge.headers import invalid_header
from edge.parameters import Parameters
from edge.references import execution_named
from queries.events import EventView, list_execution_events
from queries.paging import LARGEST, MAX_LIMIT, Page
from store.unit import Outage

HEARTBEAT_SECONDS = 15
# Under load a stream reads this often, not at every notification.
BREATH_SECONDS = 0.1

router = APIRouter(tags=["operations"])


class StreamParameters(Parameters):
    """execution: the stream sends only the events of this execution."""

    execution: str | None = None


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
async def stream(
    request: Request, door: TheDoor, feed: StateChanges, given: Annotated[StreamParameters, Query()]
) -> Response:
    """Send events until the caller disconnects. At each, it queries anew, with the position as `min_position`."""
    last = _last_event_id(request)
    if given.execution is None:
        content = _positions(door, feed, last)
    else:
        id = execution_named(given.execution)
        first = await _page(door, id, last or 0)
        content = _events(door, feed, id, first, last or 0)
    return EventSourceResponse(content, ping=HEARTBEAT_SECONDS, sep="\n")


async def _positions(door: Door, feed: Feed, sent: int | None) -> AsyncIterator[ServerSentEvent]:
    while not feed.closed:
        news = feed.news()
        try:
            position = await anyio.to_thread.run_sync(door.reading.progress.position)
        except Outage:
            position = 0
        if sent is None or position > sent:
            sent = position
            yield ServerSentEvent(encode({"position": position}).decode(), event="position", id=str(position))
        await _rest(door, feed, news)


async def _events(
    door: Door, feed: Feed, id: UUID, page: Page[EventView] | None, version: int
) -> AsyncIterator[ServerSentEvent]:
    news = feed.news()
    while not feed.closed:
        for event in page.items if page is not None else ():
            version = event.version
            yield ServerSentEvent(encode(event).decode(), event="event", id=str(version))
        if page is None or page.next_cursor is None:
            await _rest(door, feed, news)
        news = feed.news()
        try:
            page = await _page(door, id, version)
        except Outage:
            page = None


async def _page(door: Door, id: UUID, after: int) -> Page[EventView]:
    def read() -> Page[EventView]:
        return list_execution_events(door.reading, id, after=after, limit=MAX_LIMIT)

    return await anyio.to_thread.run_sync(read)


async def _rest(door: Door, feed: Feed, news: asyncio.Event) -> None:
    await feed.wait(news, door.stream_check_seconds)
    if not feed.closed:
        await asyncio.sleep(BREATH_SECONDS)


def _last_event_id(request: Request) -> int | None:
    given = request.headers.get("last-event-id")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 18 and int(given) <= LARGEST):
        raise invalid_header("Last-Event-ID", "is the id of an event that this stream sent")
    return int(given)
