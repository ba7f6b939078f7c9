"""Cookies with escapes, which take quadratic time to read, are left out before anything reads the others."""

import anyio
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from domain.refusal import Refusal
from edge.cookies import readable_cookies
from edge.envelope import Envelope
from edge.hosts import LOCAL

SENT = [(b"host", b"localhost"), (b"cookie", b'a="Asia/Tokyo"; b="\\144ark"; c=1'), (b"cookie", b"d=\\"), (b"x", b"\\")]


def test_every_request_has_its_plain_cookies_and_no_other() -> None:
    found: dict[str, str] = {}

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        found.update(Request(scope).cookies)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    def refused(refusal: Refusal) -> None:
        raise refusal

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": SENT}
    anyio.run(Envelope(application, LOCAL, refused), scope, receive, send)  # type: ignore[arg-type]
    assert found == {"a": "Asia/Tokyo", "c": "1"}


def test_headers_without_an_escape_stay_as_they_are() -> None:
    headers = [(b"cookie", b"a=1; b=2"), (b"x", b"\\")]
    assert readable_cookies(headers) is headers
    assert readable_cookies(SENT)[3] == (b"x", b"\\")
