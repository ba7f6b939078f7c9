"""One outgoing POST: bounded in time and size, never redirected, and the meaning of its status."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx2
import msgspec

from domain.agents.calls import Failed, StepError
from domain.clock import Clock
from domain.jsonvalue import parse_json
from domain.refusal import Malformed
from gateway.connecting import AddressDenied
from gateway.event_streams import MEDIA_TYPE, EventReader
from gateway.failures import (
    AGENT,
    AnswerMalformed,
    address_denied,
    deadline_exceeded,
    misconfigured,
    refused,
    unreachable,
)
from gateway.large_results import ByteRoom
from gateway.outgoing import Outgoing
from gateway.retry_after import read_retry_after
from gateway.secrets import Disclosed

LARGEST_BODY = 1 << 20
# A larger body than this one is masked and read on a thread: the other calls would have to wait.
LARGE_BODY = 64 * 1024
# Each piece of a body costs as much as kilobytes in one piece. A stream of events has a piece for each of its words.
MOST_PIECES = 20_000
MOST_STREAMED_PIECES = 500_000
PIECES_AT_ONCE = 200
EXCERPT = 500

Read = TypeVar("Read")


class Reply(msgspec.Struct, frozen=True):
    """The reply and its time: body is at most `most` bytes in at most MOST_PIECES, `whole` is false when there was
    more.
    """

    status: int
    media_type: str
    retry_after: str | None
    body: bytes
    whole: bool
    at: datetime
    most: int = LARGEST_BODY

    def content(self) -> bytes:
        """Return the complete body. Raises AnswerMalformed when it was too large."""
        if not self.whole:
            raise AnswerMalformed(f"it is larger than {self.most} bytes, or in more than {MOST_PIECES} pieces")
        return self.body

    async def read(self, meaning: Callable[["Reply"], Read]) -> Read:
        """Return the `meaning` of the reply, read on a thread if the body is large."""
        return await asyncio.to_thread(meaning, self) if len(self.body) > LARGE_BODY else meaning(self)


async def post(
    outgoing: Outgoing,
    url: str,
    headers: dict[str, str],
    body: bytes,
    allowed: timedelta,
    disclosed: Disclosed,
    who: str = AGENT,
    room: "ReplyRoom | None" = None,
    events: EventReader | None = None,
) -> Reply | Failed:
    """POST the JSON text `body` and read the reply, all within `allowed`; secrets in the reply are masked.

    who: the receiver's name in messages. room: for a reply of more than LARGEST_BODY bytes; None: there is none.
    events: reads a reply that is a stream of events, whose document is then the body; raises AnswerMalformed.
    """
    headers = {**headers, "Content-Type": "application/json"}
    return await _exchange(outgoing, "POST", url, headers, body, allowed, disclosed, who, room, events)


async def get(
    outgoing: Outgoing, url: str, headers: dict[str, str], allowed: timedelta, disclosed: Disclosed
) -> Reply | Failed:
    """GET what an agent has at `url`, likewise."""
    return await _exchange(outgoing, "GET", url, headers, None, allowed, disclosed, AGENT, None, None)


async def _exchange(
    outgoing: Outgoing,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    allowed: timedelta,
    disclosed: Disclosed,
    who: str,
    room: "ReplyRoom | None",
    events: EventReader | None,
) -> Reply | Failed:
    try:
        with outgoing.client() as client:
            async with (
                asyncio.timeout(allowed.total_seconds()),
                client.stream(method, url, headers=headers, content=body) as response,
            ):
                if events is not None and response.status_code == 200 and _media_type(response.headers) == MEDIA_TYPE:
                    return await _read_events(response, disclosed, outgoing.clock, events)
                return await _read(response, disclosed, outgoing.clock, room)
    except AddressDenied as denied:
        return address_denied(disclosed.mask_text(str(denied)))
    except TimeoutError:
        return deadline_exceeded(allowed, who)
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol, httpx2.InvalidURL, UnicodeError):
        # Their messages may repeat a header, and a header may hold a secret.
        return misconfigured("its address or one of its headers cannot be sent", who)
    except httpx2.TransportError as error:
        return unreachable(disclosed.mask_text(str(error))[:EXCERPT] or type(error).__name__, who)


async def _read_events(response: httpx2.Response, disclosed: Disclosed, clock: Clock, events: EventReader) -> Reply:
    pieces = 0
    async for chunk in response.aiter_raw():
        events.feed(chunk)
        pieces += 1
        if pieces > MOST_STREAMED_PIECES:
            raise AnswerMalformed(f"it is a stream of more than {MOST_STREAMED_PIECES} pieces")
        if pieces % PIECES_AT_ONCE == 0:
            await asyncio.sleep(0)  # pieces that are here already are read without waiting
    document = msgspec.json.encode(events.fold.document())
    masked = await asyncio.to_thread(disclosed.mask, document)
    return Reply(response.status_code, "application/json", None, masked, whole=True, at=clock.now())


class ReplyRoom:
    """Room for one large reply. most: its bytes."""

    def __init__(self, room: ByteRoom, most: int) -> None:
        self.most = most
        self._room = room
        self._units = 0

    @property
    def entered(self) -> bool:
        """Whether the reply is a large one."""
        return self._units > 0

    async def enter(self) -> None:
        """Wait for room."""
        if not self._units:
            self._units = await self._room.take(self.most)

    def leave(self) -> None:
        """Leave the room to other replies."""
        self._room.give(self._units)
        self._units = 0


async def _read(response: httpx2.Response, disclosed: Disclosed, clock: Clock, room: ReplyRoom | None) -> Reply:
    chunks, size = [], 0
    most = LARGEST_BODY
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > most and room is not None:
            await room.enter()
            most = room.most
        if size > most or len(chunks) > MOST_PIECES:
            break
        if len(chunks) % PIECES_AT_ONCE == 0:
            await asyncio.sleep(0)  # pieces that are here already are read without waiting
    received = b"".join(chunks)
    if size > LARGE_BODY:
        masked = await asyncio.to_thread(disclosed.mask, received)
    else:
        masked = disclosed.mask(received)
    return Reply(
        status=response.status_code,
        media_type=disclosed.mask_text(_media_type(response.headers)),
        retry_after=response.headers.get("retry-after"),
        body=masked[:most],
        whole=size <= most and len(chunks) <= MOST_PIECES,
        at=clock.now(),
        most=most,
    )


def _media_type(headers: httpx2.Headers) -> str:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return f"{encoding[:40]} encoding"
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def failure(reply: Reply, who: str = AGENT) -> Failed:
    """Return the failure that a status other than 200 and 202 means.

    429 and 503 may be tried again, after ``Retry-After`` if it was given; so may other 5xx. 3xx and other 4xx are
    permanent.
    """
    status = reply.status
    said = f"{who} answered {status}{_excerpt(reply)}"
    if status in (429, 503):
        code = "agent_rate_limited" if status == 429 else "agent_unavailable"
        wait = read_retry_after(reply.retry_after, reply.at)
        return Failed(StepError(code, said, retry_after=wait, details={"status": status}))
    if status >= 500:
        return Failed(StepError("agent_error", said, details={"status": status}))
    if status >= 400:
        return refused("agent_refused", said, status=status)
    if status >= 300:
        return refused("agent_redirected", f"{who} answered {status}; redirects are not followed", status=status)
    message = f"{who} answered status {status}; 200 and 202 are answers"
    return Failed(StepError("agent_answer_malformed", message, details={"status": status}))


def _excerpt(reply: Reply) -> str:
    """Return the reason in the body: the message of a JSON error of a usual shape, or the beginning of a text."""
    try:
        text = _message(parse_json(reply.body))
    except Malformed:
        text = reply.body[: EXCERPT * 4].decode(errors="replace") if reply.media_type.startswith("text/") else ""
    text = "".join(character if character.isprintable() else " " for character in text[:EXCERPT]).strip()
    return f": {text}" if text else ""


def _message(body: Any) -> str:
    while isinstance(body, dict):
        body = next((body[key] for key in ("error", "message", "detail", "title") if body.get(key)), None)
    return body if isinstance(body, str) else ""
