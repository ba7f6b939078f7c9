"""Connections to the API: bounded in number, size and time before a request reaches the application, and after."""

import asyncio
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from api.errors import problem
from edge.protection import PROTECTION

# Bytes that are parsed between two checks.
SLICE = 16_384
MOST_HEADERS = 256
MOST_PIPELINED = 32
# The application refuses a body of more than 2 MiB; then it may still come, so that its sender reads the refusal.
MOST_BODY = 8 << 20
# A refused caller has this long to read the refusal while it still sends.
LINGER_SECONDS = 2.0
# A connection younger than this is not closed in favour of another.
NEW_SECONDS = 1.0
# Less than this is no progress of a caller that reads its answer.
PROGRESS_BYTES = 16_384


@dataclass(frozen=True)
class ConnectionLimits:
    """connections: open at once. head_bytes: of the request line and headers.

    receive_seconds: for a request to arrive whole. send_seconds: for a caller to read more of its answer.
    keep_alive_seconds: from an answer to the next request.
    """

    connections: int = 2_000
    head_bytes: int = 65_536
    receive_seconds: float = 30.0
    send_seconds: float = 60.0
    keep_alive_seconds: int = 5


class Connections:
    """What the connections of one server share: their limits, and those that wait for a request, the longest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.waiting: dict[BoundedConnection, None] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Return the protocol of a server whose connections share this."""
        return type("BoundedConnection", (BoundedConnection,), {"shared": self})

    def make_room(self, now: float) -> bool:
        """Close the connection that has waited longest for a request to arrive; return whether there is one."""
        oldest = next(iter(self.waiting), None)
        if oldest is None or now - oldest.waiting_since < NEW_SECONDS:
            return False
        oldest.end_waiting()
        return True

    def check(self, connections: Iterable[object], now: float) -> None:
        """End the connections that have used up their time."""
        for connection in list(connections):
            if isinstance(connection, BoundedConnection):
                connection.check(now)


class BoundedConnection(HttpToolsProtocol):
    """One connection. It refuses what exceeds the limits, with a problem document, and ends then."""

    shared: Connections

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = self.shared.limits
        self.waiting_since = 0.0
        self._arriving_since: float | None = None
        self._begun = False
        self._unparsed = 0
        self._body = 0
        self._leaving_since: float | None = None
        self._unsent = 0
        self._unsent_since = 0.0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the class above
        """Take the connection; beyond the limit, in place of one that waits, or refuse it."""
        super().connection_made(transport)
        now = self._arriving_since = self._unsent_since = self.loop.time()
        most = self._limits.connections
        if len(self.connections) > most and not self.shared.make_room(now):
            if len(self.connections) > most + most // 8 + 16:
                transport.abort()
            else:
                self._refuse(503, "too_many_connections", "as many connections are open as this process serves")
            return
        self._wait(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.shared.waiting.pop(self, None)
        super().connection_lost(exc)

    def _wait(self, now: float) -> None:
        self.waiting_since = now
        self.shared.waiting[self] = None

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Parse `data`, at most SLICE bytes between two checks of what is neither parsed nor part of a body."""
        if self._leaving_since is not None:
            return
        if self._arriving_since is None:
            self._arriving_since = self.loop.time()
        for start in range(0, len(data), SLICE):
            part = data if len(data) <= SLICE else data[start : start + SLICE]
            self._unparsed += len(part)
            super().data_received(part)
            if self._leaving_since is not None or self.transport.is_closing():
                return
            if self._unparsed > self._limits.head_bytes:
                self._refuse_head()
                return

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begun = True
        if self._arriving_since is None:
            self._arriving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too large or states no path of this server."""
        if len(self.headers) > MOST_HEADERS or self._unparsed > self._limits.head_bytes:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if len(self.headers) > MOST_HEADERS or size > self._limits.head_bytes:
                self._refuse_head()
                raise _Refused
        if len(self.pipeline) >= MOST_PIPELINED:
            self.transport.abort()
            raise _Refused
        if not self.url.startswith(b"/"):
            self._take_authority()
        self._unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unparsed = 0
        self._body += len(body)
        if self._body > MOST_BODY:
            self._refuse(413, "too_large", "the body is larger than any that is read here")
            raise _Refused
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request: now the application has all of it."""
        self._arriving_since = None
        self._begun = False
        self._unparsed = self._body = 0
        self.shared.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End the answer: the connection waits for the next request."""
        super().on_response_complete()
        if self._arriving_since is None and not self.pipeline:
            self._wait(self.loop.time())

    def _take_authority(self) -> None:
        """Put the host of an absolute target into the place of the Host header, as RFC 9112 (3.2.2) requires."""
        target = httptools.parse_url(self.url)
        if not target.host or target.userinfo or not target.path:
            raise _Refused
        if sum(name == b"host" for name, _ in self.headers) == 1:
            host = b"[%s]" % target.host if b":" in target.host else target.host
            authority = host if target.port is None else b"%s:%d" % (host, target.port)
            self.headers[:] = [(name, authority if name == b"host" else value) for name, value in self.headers]

    # Refusals

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is not HTTP."""
        self._refuse(400, "malformed_request", "this is not a request of HTTP/1.1")

    def _refuse_head(self) -> None:
        if len(self.url) > self._limits.head_bytes // 2:
            self._refuse(414, "uri_too_long", "the target of a request is shorter here")
        else:
            limit = self._limits.head_bytes
            message = f"request line and headers have at most {limit} bytes here, and there are at most {MOST_HEADERS}"
            self._refuse(431, "headers_too_large", message)

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer once, read no more, and end. Without an answer where another one is under way."""
        if self._leaving_since is not None or self.transport.is_closing():
            return
        self._leaving_since = self.loop.time()
        self.shared.waiting.pop(self, None)
        self._unset_keepalive_if_required()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or not cycle.more_body or self.pipeline:
                self.transport.abort()
                return
        self.flow.resume_reading()
        self.transport.write(_answer(status, code, detail))
        self.transport.write_eof()

    # Time

    def end_waiting(self) -> None:
        """End a connection whose request did not arrive whole."""
        if not self._begun:
            self._leaving_since = self.loop.time()
            self.shared.waiting.pop(self, None)
            self.transport.close()
        else:
            self._refuse(408, "request_timeout", "the request did not arrive in time")

    def check(self, now: float) -> None:
        """End the connection if its request does not arrive, or its answer is not read, within the limits."""
        if self._leaving_since is not None:
            if now - self._leaving_since > LINGER_SECONDS:
                self.transport.abort()
            return
        unsent = self.transport.get_write_buffer_size()
        if not unsent or not self._unsent or unsent <= self._unsent - PROGRESS_BYTES:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > self._limits.send_seconds:
            self.transport.abort()
            return
        if self._arriving_since is not None and now - self._arriving_since > self._limits.receive_seconds:
            self.end_waiting()


class _Refused(Exception):
    """Ends the parsing; the refusal is sent."""


@functools.cache
def _answer(status: int, code: str, detail: str) -> bytes:
    answer = problem(status, code, detail)
    headers = [*answer.raw_headers, *PROTECTION, (b"connection", b"close")]
    return b"".join([STATUS_LINE[status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n", bytes(answer.body)])
