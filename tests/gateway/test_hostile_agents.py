"""Whatever bytes an agent sends, its call ends in an answer of a known kind, and the gateway lives."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import Completed, Failed
from gateway.exchange import LARGE_BODY, LARGEST_BODY, MOST_PIECES, Reply

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
UNUSABLE, UNREACHABLE, LATE = "agent_answer_malformed", "agent_unreachable", "deadline_exceeded"
NEXT = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7"


class RawAgent:
    """Sends the same bytes to whoever connects, as far as they are taken; then hangs up, or holds on."""

    def __init__(self, sent: bytes, *, repeated: bytes = b"", holds: bool = False) -> None:
        self._sent, self._repeated, self._holds = sent, repeated, holds
        self._connection: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connection = connection
                with connection, suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(self._sent)
                    while self._repeated:
                        connection.sendall(self._repeated)
                    if not self._holds:
                        connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass  # closing before the request is read would take back what was sent

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)


@pytest.fixture
def hostile() -> Iterator[Callable[..., RawAgent]]:
    made: list[RawAgent] = []

    def make(sent: bytes, **more: Any) -> RawAgent:
        made.append(RawAgent(sent, **more))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def sized(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"content-length: %d\r\n\r\n" % len(body) + body


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", UNREACHABLE),
    "no HTTP": (b"\x00\x01\x02" * 1000, UNREACHABLE),
    "200,000 header lines": (OK + b"".join(b"x-%d: 1\r\n" % n for n in range(200_000)) + b"\r\n", UNREACHABLE),
    "a header of 2 MB": (OK + b"x: " + b"a" * 2_000_000 + b"\r\n\r\n", UNREACHABLE),
    "a header without a name": (OK + b": x\r\n\r\n", UNREACHABLE),
    "a header line of 90 kB without a colon": (OK + b"x" * 90_000 + b"\r\n\r\n", UNREACHABLE),
    "a NUL in a header": (OK + b"x: \x00\r\n\r\n", UNREACHABLE),
    "two lengths": (OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n12", UNREACHABLE),
    "a negative length": (OK + b"content-length: -1\r\n\r\n1", UNREACHABLE),
    "a length of 50,000 digits": (OK + b"content-length: " + b"9" * 50_000 + b"\r\n\r\n1", UNREACHABLE),
    "closed half way": (OK + b"content-length: 10\r\n\r\n12", UNREACHABLE),
    "closed inside a chunk": (CHUNKED + b"5\r\n12", UNREACHABLE),
    "a chunk of no size": (CHUNKED + b"zz\r\n1\r\n", UNREACHABLE),
    "endless extensions": (CHUNKED + b"1;" + b"a" * 2_000_000, UNREACHABLE),
    "200,000 trailers": (CHUNKED + b"1\r\n1\r\n0\r\n" + b"x: 1\r\n" * 200_000 + b"\r\n", UNREACHABLE),
    "101": (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", UNREACHABLE),
    "status 999": (b"HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n", "agent_error"),
    "a body of 3 MB": (sized(b"1" * 3_000_000), UNUSABLE),
    "a million pieces": (CHUNKED + b"1\r\n1\r\n" * 1_000_000 + b"0\r\n\r\n", UNUSABLE),
    "gzip unasked": (sized(gzip.compress(b"1" * 50_000_000), b"content-encoding: gzip\r\n"), UNUSABLE),
    "gzip in disguise": (sized(gzip.compress(b"1" * 1000)), UNUSABLE),
    "gzip that is none": (sized(b"[]", b"content-encoding: gzip\r\n"), UNUSABLE),
    "no UTF-8": (sized(b'"\xff\xfe"'), UNUSABLE),
    "UTF-16": (
        sized('{"output": 1}'.encode("utf-16"), b"content-type: application/json; charset=utf-16\r\n"),
        UNUSABLE,
    ),
    "nested 500,000 deep": (sized(b"[" * 500_000 + b"]" * 500_000), UNUSABLE),
    "objects 100,000 deep": (sized(b'{"output":' * 100_000 + b"1" + b"}" * 100_000), UNUSABLE),
    "one long key above 200,000 values": (
        sized(b'{"%s":[%s0]}' % (b"k" * 500_000, b"0," * 200_000 + b"1e999,")),
        UNUSABLE,
    ),
    "a number of 1,000,000 digits": (sized(b"9" * 1_000_000), UNUSABLE),
    "usage of another shape": (sized(b'{"output": 1, "usage": [1, 2]}'), UNUSABLE),
    "usage nested deep": (sized(b'{"output": 1, "usage": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001), UNUSABLE),
    "a cost of NaN": (sized(b'{"output": 1, "cost": {"amount": "NaN", "currency": "USD"}}'), UNUSABLE),
    "retry after an absurd zone": (
        b"HTTP/1.1 503 X\r\nretry-after: Wed, 21 Oct 2015 07:28:00 +9999999999\r\ncontent-length: 0\r\n\r\n",
        "agent_unavailable",
    ),
    "an error of 1 MB": (
        b"HTTP/1.1 400 X\r\ncontent-type: text/plain\r\ncontent-length: 1000000\r\n\r\n" + b"\xff" * 1_000_000,
        "agent_refused",
    ),
    "a redirect to everywhere": (b"HTTP/1.1 302 X\r\nlocation: http://169.254.169.254/\r\n\r\n", "agent_redirected"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["http", "openai_chat"])
def test_what_is_no_answer_is_a_failure_of_its_kind(rig, hostile, name, kind):
    sent, code = HOSTILE[name]
    url = hostile(sent).url
    more = {"base_url": url, "model": "m"} if kind == "openai_chat" else {"url": url}
    answer = rig.ask(rig.config(kind=kind, **more))
    assert isinstance(answer, Failed)
    assert answer.error.code == code
    assert answer.error.permanent is (code in ("agent_refused", "agent_redirected"))
    assert len(answer.error.message) < 1500
    assert rig.ask(rig.config(kind="http", url=hostile(NEXT).url)) == Completed(7)


@pytest.mark.parametrize(
    ("sent", "repeated"),
    [
        (b"", b""),
        (OK + b"x: ", b""),
        (CHUNKED, b""),
        (b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"),
    ],
    ids=["silence", "half a header", "half a body", "hints without end"],
)
def test_an_answer_without_end_ends_with_its_deadline(rig, hostile, sent, repeated):
    agent = hostile(sent, repeated=repeated, holds=True)
    answer = rig.ask(rig.config(kind="http", url=agent.url, deadline="300ms"))
    assert answer.error.code == LATE
    assert not answer.error.permanent


@pytest.mark.parametrize(
    ("sent", "repeated"), [(CHUNKED, b"1\r\n1\r\n" * 1000), (OK + b"\r\n", b"1" * 65_536)], ids=["pieces", "bytes"]
)
def test_a_body_without_end_is_cut_off_at_the_bound(rig, hostile, sent, repeated):
    answer = rig.ask(rig.config(kind="http", url=hostile(sent, repeated=repeated).url, deadline="10m"))
    assert answer.error.code == UNUSABLE
    assert f"larger than {LARGEST_BODY} bytes, or in more than {MOST_PIECES} pieces" in answer.error.message


@pytest.mark.parametrize("size", [0, LARGE_BODY, LARGE_BODY + 1, LARGEST_BODY])
def test_a_large_body_is_read_beside_the_loop(size):
    reply = Reply(200, "", None, bytes(size), True, SYSTEM_CLOCK.now())
    here = threading.current_thread()
    beside = asyncio.run(reply.read(lambda _reply: threading.current_thread() is not here))
    assert beside is (size > LARGE_BODY)
