"""The middleware around every request: it assigns the request its id, for the log and for the caller."""

import itertools
import os
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Random once, then counted: a system call for randomness releases the interpreter's lock, and under load it takes
# milliseconds to acquire it again.
_ORIGIN = os.urandom(8).hex().encode()
_COUNTER = itertools.count(1)
_GIVEN = re.compile(rb"[\x21-\x7e]{1,128}")


class Envelope:
    """Takes X-Request-Id, or creates one, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with `request_id` in the scope of each request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        id = given if _GIVEN.fullmatch(given) else b"%s-%d" % (_ORIGIN, next(_COUNTER))
        scope["request_id"] = id.decode()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).append((b"x-request-id", id))
            await send(message)

        await self._app(scope, receive, sending)
