"""The middleware around every request: its id, its admission, its headers, and HEAD where there is GET."""

import itertools
import os
import re
from collections.abc import Callable

from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.refusal import Refusal
from edge.admission import refusal_of
from edge.cookies import readable_cookies
from edge.hosts import Hosts
from edge.protection import protect

# Random once, then counted: a system call for randomness releases the interpreter's lock, and under load it takes
# milliseconds to acquire it again.
_ORIGIN = os.urandom(8).hex().encode()
_COUNTER = itertools.count(1)
# FastAPI would search the environment three times a request for a provider of OpenTelemetry; `/metrics` has the times.
NO_TELEMETRY = TelemetryConfig(tracing=False, metrics=False, logs=False)
_GIVEN = re.compile(rb"[\x21-\x7e]{1,128}")


class Envelope:
    """Takes X-Request-Id, or creates one, and sends it back. refused: returns the answer to a refused request.

    A request that is not admitted ends here, whatever its path. HEAD is answered as GET without its body; the scope
    states it as `head`. epoch: returns the present epoch of the log: no position in an answer is of an older one than
    the request found.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Hosts,
        refused: Callable[[Refusal], ASGIApp],
        epoch: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._epoch = epoch
        self._app = app
        self._hosts = hosts
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with `request_id` and `head` in the scope of each request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        id = given if _GIVEN.fullmatch(given) else b"%s-%d" % (_ORIGIN, next(_COUNTER))
        epoch = self._epoch()
        scope["headers"] = readable_cookies(scope["headers"])
        scope["request_id"], scope["head"] = id.decode(), (head := scope["method"] == "HEAD")
        if head:
            # The server, which sends no body after HEAD, keeps its own scope.
            scope = {**scope, "method": "GET"}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message.get("headers", ()))
                headers.append((b"x-request-id", id))
                if epoch is not None:
                    headers.append((b"procession-epoch", epoch.encode()))
                protect(headers)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        refusal = refusal_of(scope, self._hosts)
        await (self._app if refusal is None else self._refused(refusal))(scope, receive, sending)
