"""Connections, by raw sockets against the real server: sizes, numbers and times have bounds."""

import dataclasses
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from app.connections import ConnectionLimits
from app.serving import ApiServer
from app.sockets import listen
from tests.waiting import until

SECONDS = 60.0
LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
START = b"POST /api/processes/greeting/executions HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


class Client:
    """One connection, and what came back on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._read = b""

    def send(self, data: bytes) -> "Client":
        """Send as much as is read."""
        with suppress(BrokenPipeError, ConnectionResetError):  # refused in the middle: the answer says so
            self.socket.sendall(data)
        return self

    def answer(self) -> tuple[int, bytes]:
        """The status and body of the next answer; 0 when the connection ends without one."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return 0, b""
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(self._read) < length and self._more():
            pass
        body, self._read = self._read[:length], self._read[length:]
        return int(head[9:12]), body

    def ends(self) -> bool:
        """Wait until the server has closed the connection; what is unread is dropped."""
        while self._more():
            self._read = b""
        return True

    def _more(self) -> bool:
        try:
            part = self.socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._read += part
        return bool(part)


@pytest.fixture
def serve(shared: Any, shared_client: Any) -> Iterator[Callable[..., Callable[[], Client]]]:
    """Serve with limits; a function that connects."""
    with ExitStack() as ending:

        def serving(streams: int = 500, **limits: Any) -> Callable[[], Client]:
            bound = ending.enter_context(listen("127.0.0.1", 0))
            door = dataclasses.replace(shared.app.state.door, max_streams=streams)
            server = ApiServer(door, bound, lambda: None, ConnectionLimits(**limits))
            server.start()
            ending.callback(server.stop)
            port = bound.getsockname()[1]

            def connecting() -> Client:
                client = Client(port)
                ending.callback(client.socket.close)
                return client

            return connecting

        yield serving


@pytest.fixture
def connect(serve: Any) -> Callable[[], Client]:
    return serve()  # type: ignore[no-any-return]


def code(answer: tuple[int, bytes]) -> tuple[int, str]:
    """The status and the code of a problem document."""
    return answer[0], json.loads(answer[1])["code"] if answer[1] else ""


@pytest.mark.parametrize(
    "made", [lambda n: b"X: %s\r\n" % (b"x" * n), lambda n: b"a:\r\n" * (n // 4), lambda n: b"x" * n]
)
def test_headers_have_a_bound_whether_or_not_they_end(connect: Any, made: Callable[[int], bytes]) -> None:
    within = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 65_400 + b"\r\n\r\n"
    assert connect().send(within).answer()[0] == 200
    for length in (65_600, 5_000_000):
        beyond = connect().send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + made(length))
        assert code(beyond.answer()) == (431, "headers_too_large")
        assert beyond.ends()
    assert connect().send(LIVE).answer()[0] == 200


def test_a_head_that_ends_beyond_the_bound_is_refused_too(connect: Any) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n"
    assert code(connect().send(head % (b"x" * 66_000)).answer()) == (431, "headers_too_large")
    many = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 300 + b"\r\n"
    assert code(connect().send(many).answer()) == (431, "headers_too_large")


def test_a_target_and_trailers_have_a_bound(connect: Any) -> None:
    assert code(connect().send(b"GET /" + b"x" * 200_000).answer()) == (414, "uri_too_long")
    chunked = START + JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    trailing = connect().send(chunked + b"X: " + b"x" * 200_000)
    assert trailing.answer()[0] in (0, 431)
    assert trailing.ends()


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /health/live\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://ann@localhost/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        START + JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        START + JSON + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        START + JSON + b"Content-Length: -1\r\n\r\n",
    ],
)
def test_a_request_that_is_none_is_400_and_ends_the_connection(connect: Any, request_: bytes) -> None:
    client = connect().send(request_)
    assert client.answer()[0] == 400
    assert client.ends()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health/live HTTP/1.1\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: local host\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\n", 200),
        (b"GET /health/live HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n", 421),
        (b"GET http://localhost/health/live HTTP/1.1\r\nHost: evil.example\r\n", 200),
        (b"GET http://evil.example/health/live HTTP/1.1\r\nHost: localhost\r\n", 421),
        (b"GET http://[::1]:80/health/live HTTP/1.1\r\nHost: localhost\r\n", 200),
        (b"GET http://localhost/health/live HTTP/1.1\r\n", 400),
    ],
)
def test_the_host_counts_that_a_request_states_for_itself(connect: Any, head: bytes, status: int) -> None:
    assert connect().send(head + b"\r\n").answer()[0] == status


def test_a_request_that_does_not_arrive_is_408(serve: Any) -> None:
    connect = serve(receive_seconds=0.2)
    for begun in (
        LIVE[:-2],
        START + JSON + b"Content-Length: 20\r\n\r\n{",
        START + JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        LIVE + LIVE[:20],
    ):
        client = connect().send(begun)
        answers = [client.answer()]
        while answers[-1][0] == 200:
            answers.append(client.answer())
        assert code(answers[-1]) == (408, "request_timeout"), begun
        assert client.ends()
    silent = connect()
    assert silent.ends()
    blank = connect().send(b"\r\n")
    assert blank.ends()


def test_a_connection_that_waits_gives_way_to_a_new_one(serve: Any) -> None:
    connect = serve(connections=3)
    begun = [connect().send(LIVE[:-2]) for _ in range(3)]
    until(lambda: connect().send(LIVE).answer()[0] == 200)  # those are too new at first: then it is 503
    assert begun[0].answer()[0] == 408


def test_connections_at_work_do_not_give_way(serve: Any) -> None:
    connect = serve(connections=2)
    streams = [connect().send(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(2)]
    assert [stream.answer()[0] for stream in streams] == [200, 200]
    assert code(connect().send(LIVE).answer()) == (503, "too_many_connections")


def test_streams_have_a_bound_and_give_their_place_back(serve: Any) -> None:
    connect = serve(streams=1)
    opening = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
    first = connect().send(opening)
    assert first.answer()[0] == 200
    assert code(connect().send(opening).answer()) == (503, "too_many_streams")
    assert connect().send(opening.replace(b"GET", b"HEAD")).answer()[0] == 200
    first.socket.close()
    until(lambda: connect().send(opening).answer()[0] == 200)


def test_a_caller_that_does_not_read_its_answer_is_dropped(serve: Any, shared_client: Any) -> None:
    for _ in range(4):
        body = {"input": {"name": "x" * 900_000}}
        assert shared_client.post("/api/processes/greeting/executions", json=body).status_code == 202
    connect = serve(send_seconds=0.2)
    client = connect()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.send(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
    until(lambda: not _peers(client))


def _peers(client: Client) -> bool:
    """Whether the server still holds the connection: a reset shows at the next write."""
    try:
        client.socket.send(b"\r\n")
    except OSError:
        return False
    return True


def test_a_body_has_a_bound_while_it_arrives_and_is_as_long_as_it_says(connect: Any) -> None:
    endless = connect().send(START + JSON + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(40):
        endless.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
    assert code(endless.answer()) == (413, "too_large")
    for _ in range(200):
        endless.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
    assert endless.ends()
    short = connect().send(START + JSON + b"Content-Length: 1\r\n\r\n{")
    assert short.answer()[0] == 422
    assert short.send(b"}" + LIVE).answer()[0] == 400
    assert short.ends()


def test_requests_in_a_row_are_answered_in_their_order(connect: Any) -> None:
    client = connect().send(LIVE + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + LIVE)
    assert [client.answer()[0] for _ in range(3)] == [200, 404, 200]


def test_a_connection_is_kept_for_a_while(serve: Any) -> None:
    client = serve(keep_alive_seconds=1)().send(LIVE)
    assert client.answer()[0] == 200
    assert client.send(LIVE).answer()[0] == 200
    assert client.ends()
