"""Server-sent events: the positions of read models as they advance, or the events of one execution."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, TypeVar
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import openapi
from api.answers import encode
from edge.admission import refusal_of_page
from edge.admitted import Caller, Masking
from edge.dependencies import StateChanges, TheDoor
from edge.door import Door
from edge.feed import Feed
from edge.headers import invalid_header
from edge.parameters import Fresh
from edge.principal import Principal, still_admitted
from edge.references import execution_named
from edge.sensitive import SensitiveViews
from edge.visibility import require_visible_execution
from queries.epochs import EPOCH_ID
from queries.events import EventView, get_last_version, list_execution_events
from queries.paging import LARGEST, MAX_LIMIT, Page
from store.unit import Outage

# The release before sent ids without an epoch.
IDS = ("^[0-9]{1,18}$", f"^{EPOCH_ID}[.][0-9]{{1,18}}$")
HEARTBEAT_SECONDS = 15
# Under load a stream reads this often, not at every notification; the first one after a pause is read at once.
BREATH_SECONDS = 0.1

_LAST_EVENT_ID = re.compile("|".join(IDS), re.ASCII)

Read = TypeVar("Read")
Otherwise = TypeVar("Otherwise")

router = APIRouter(tags=["operations"])


class StreamParameters(Fresh):
    """execution: the stream sends only the events of this execution.

    min_position: the stream begins once what it reads has reached this position, as other queries do.
    """

    execution: str | None = None


class CountedStream(EventSourceResponse):
    """A stream that gives its place back to the feed when it ends."""

    def __init__(self, content: AsyncIterator[ServerSentEvent], feed: Feed) -> None:
        super().__init__(content, ping=HEARTBEAT_SECONDS, sep="\n")
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave()


_DESCRIBED = openapi.query(str, 403, 404, listed=True)
_DESCRIBED["responses"][200] = {
    "description": "`event: position` with `{position, epoch}`, or `event: event` with an event of the execution; the "
    "id is the epoch of the log and the position or the version, and `Last-Event-ID` goes on after it. If another "
    "epoch has begun since, or the log ends before it, the stream begins with `event: position`: what was read before "
    "may be gone.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
_DESCRIBED["openapi_extra"] |= {
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "schema": {"anyOf": [{"type": "string", "pattern": pattern} for pattern in IDS]},
        }
    ]
}


@router.get("/stream", summary="What changes, as it changes", **_DESCRIBED)
async def stream(
    request: Request,
    door: TheDoor,
    feed: StateChanges,
    caller: Caller,
    masking: Masking,
    given: Annotated[StreamParameters, Query()],
) -> Response:
    """Send events until the caller disconnects. At each, it queries anew, with the position as `min_position`.

    The events of an execution begin once a replica holds those that the primary had at the request. 503 `not_yet`: it
    has not reached these, or `min_position`, within 5 seconds.

    403: a page of another site opens no stream. 503 `too_many_streams`: as many are open as one process serves.
    """
    if (foreign := refusal_of_page(request.scope, door.hosts)) is not None:
        raise foreign
    epoch, last = _last_event_id(request)
    first: Page[EventView] | None = None
    id = None if given.execution is None else execution_named(given.execution)
    if id is not None:
        await require_visible_execution(door, caller, id)
        least = await anyio.to_thread.run_sync(_recorded_until, door, id, given.min_position)
        first = await anyio.to_thread.run_sync(_page_after(door, masking, id, last or 0, least))
    elif given.min_position is not None:
        await anyio.to_thread.run_sync(_await_position, door, given.min_position)
    if request.scope["head"]:
        return Response(media_type="text/event-stream")
    feed.enter(door.max_streams)
    go_on = _Admission(door, feed, caller, masking)
    events = _positions(go_on, epoch, last) if id is None else _events(go_on, id, first, epoch, last)
    return CountedStream(events, feed)


class _Admission:
    """Whether a stream goes on: its server does not end, and the key of its caller is not revoked."""

    def __init__(self, door: Door, feed: Feed, caller: Principal, masking: SensitiveViews) -> None:
        self.door = door
        self.masking = masking
        self.feed = feed
        self._caller = caller

    async def holds(self) -> bool:
        """Return whether the stream goes on."""
        if self.feed.closed:
            return False
        if self.door.keys.stale:
            await _read(self.door.keys.refresh, None)
        return still_admitted(self.door, self._caller)


async def _positions(admission: _Admission, of: str | None, sent: int | None) -> AsyncIterator[ServerSentEvent]:
    door, feed = admission.door, admission.feed
    of = of or door.present_epoch()
    while await admission.holds():
        news, read_at, epoch = feed.news(), asyncio.get_running_loop().time(), door.present_epoch()
        position = await _read(door.reading.progress.position, None)
        lost = sent is not None and position is not None and position < sent and await _end_before(door, sent)
        if position is not None and (sent is None or position > sent or lost or epoch != of):
            sent, of = position, epoch
            yield _at(position, position, epoch)
        await _rest(door, feed, news, read_at)


async def _events(
    admission: _Admission, id: UUID, page: Page[EventView] | None, of: str | None, last: int | None
) -> AsyncIterator[ServerSentEvent]:
    door, feed = admission.door, admission.feed
    # No position is known of the event that the caller saw last: the first check compares versions.
    news, version, position = feed.news(), last or 0, LARGEST if last else 0
    read_at, epoch = asyncio.get_running_loop().time(), door.present_epoch()
    of = of or epoch
    while await admission.holds():
        if epoch != of and (end := await _read(door.reading.progress.end_of_log, None)) is not None:
            of = epoch
            version = min(version, await _read(lambda: get_last_version(door.reading, id), version))
            yield _at(end, version, epoch)
        events = page.items if page is not None else ()
        for event in events:
            version, position = event.version, event.position
            yield ServerSentEvent(encode(event).decode(), event="event", id=_id(epoch, version))
        if page is None or page.next_cursor is None:
            if not events and (end := await _end_before(door, position)) is not None:
                newest = await _read(lambda: get_last_version(door.reading, id), None)
                if newest is not None:
                    position = end
                if newest is not None and newest < version:
                    version = newest
                    yield _at(end, version, epoch)
            await _rest(door, feed, news, read_at)
        news, read_at, epoch = feed.news(), asyncio.get_running_loop().time(), door.present_epoch()
        page = await _read(_page_after(door, admission.masking, id, version), None)


async def _end_before(door: Door, position: int) -> int | None:
    """Return the end of the log if that is before `position`: the log is another one, restored from a backup."""
    if not position:
        return None
    end = await _read(door.reading.progress.end_of_log, position)
    return end if end < position else None


async def _read(read: Callable[[], Read], otherwise: Otherwise) -> Read | Otherwise:
    """Return what `read` returns on a thread, or `otherwise` in an outage: the next check comes soon."""
    try:
        return await anyio.to_thread.run_sync(read)
    except Outage:
        return otherwise


def _page_after(
    door: Door, masking: SensitiveViews, id: UUID, version: int, least: int | None = None
) -> Callable[[], Page[EventView]]:
    return lambda: masking.events(
        list_execution_events(door.reading, id, after=version, limit=MAX_LIMIT, min_position=least)
    )


def _recorded_until(door: Door, id: UUID, least: int | None) -> int | None:
    """Return the position that a replica must have for the newest event of the execution; without one, `least`."""
    if door.reading.replica is None:
        return least
    try:
        newest = door.handlers.log.newest(id)
    except Outage:
        return least
    return least if newest is None else max(newest.position, least or 0)


def _await_position(door: Door, least: int) -> None:
    """Return once what is read has reached the position `least`. Raises NotYet, or Outage."""
    with door.reading.log(least):
        return


def _at(position: int, id: int, epoch: str | None) -> ServerSentEvent:
    content = encode({"position": position, "epoch": epoch}).decode()
    return ServerSentEvent(content, event="position", id=_id(epoch, id))


def _id(epoch: str | None, number: int) -> str:
    return str(number) if epoch is None else f"{epoch}.{number}"


async def _rest(door: Door, feed: Feed, news: asyncio.Event, read_at: float) -> None:
    """Wait for `news`, and until BREATH_SECONDS have passed since `read_at`."""
    await feed.wait(news, door.stream_check_seconds)
    left = read_at + BREATH_SECONDS - asyncio.get_running_loop().time()
    if left > 0 and not feed.closed:
        await asyncio.sleep(left)


def _last_event_id(request: Request) -> tuple[str | None, int | None]:
    """Return the epoch and the number of the event that the caller saw last; a release before sent no epoch."""
    given = request.headers.get("last-event-id")
    if given is None:
        return None, None
    epoch, _, number = given.rpartition(".")
    if not _LAST_EVENT_ID.fullmatch(given) or int(number) > LARGEST:
        raise invalid_header("Last-Event-ID", "is the id of an event that this stream sent")
    return epoch or None, int(number)
