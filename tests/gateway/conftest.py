"""A real HTTP server on the loopback interface, whose answers each test decides, and a place where answers arrive."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import AgentCall, Answer
from domain.agents.kinds import parse_agent
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import read_secret_names
from gateway.gateway import AgentGateway

EXECUTION = UUID("01890000-0000-7000-8000-000000000001")


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = ""

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def response(status: int, body: bytes | Any = b"", **headers: str) -> bytes:
    """An HTTP/1.1 response; a body that is not bytes goes as JSON. Underscores in header names become hyphens."""
    if not isinstance(body, bytes):
        body = msgspec.json.encode(body)
        headers.setdefault("content_type", "application/json")
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class LoopbackServer:
    """Answers each request with the bytes that `respond` gives; None closes the connection."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.closed_by_peer = threading.Event()
        self.respond: Callable[[Request], Awaitable[bytes | None]] = self._nothing
        self.hangs_up = False
        self.url = ""
        self._ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def always(self, reply: bytes | None) -> None:
        async def respond(request: Request) -> bytes | None:
            return reply

        self.respond = respond

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    async def _nothing(self, request: Request) -> bytes | None:
        return None

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048))
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        self.loop.call_soon(self._ready.set)
        self.loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                request = Request(path, headers, body, method)
                self.requests.append(request)
                if (reply := await self._replied(reader, request)) is None:
                    return
                writer.write(reply)
                await writer.drain()
                if self.hangs_up:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _replied(self, reader: asyncio.StreamReader, request: Request) -> bytes | None:
        """The reply, unless the caller hangs up first."""
        reply = asyncio.ensure_future(self.respond(request))
        hang_up = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((reply, hang_up), return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                self.closed_by_peer.set()
                return None
            return reply.result()
        finally:
            reply.cancel()
            hang_up.cancel()
            await asyncio.gather(reply, hang_up, return_exceptions=True)


class Deliveries:
    """Collects what the gateway delivers, and on which thread."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self._answers: queue.Queue[tuple[AgentCall, Answer]] = queue.Queue()

    def __call__(self, call: AgentCall, answer: Answer) -> None:
        self.threads.append(threading.current_thread().name)
        self._answers.put((call, answer))

    def next(self) -> Answer:
        return self.next_pair()[1]

    def next_pair(self) -> tuple[AgentCall, Answer]:
        return self._answers.get(timeout=120)

    def empty(self) -> bool:
        return self._answers.empty()


def call(message: Any = "hello there", **facts: Any) -> AgentCall:
    """A call of step ``write``, attempt 1, unless `facts` say otherwise."""
    known = {
        "execution_id": EXECUTION,
        "step": "write",
        "attempt": 1,
        "agent": "writer",
        "process": "letters",
        "version": 3,
        "message": message,
        "callback_token": "token-of-this-attempt",
    }
    return AgentCall(**(known | facts))


class Rig:
    """A gateway, the server its agents live on, and the deliveries."""

    def __init__(self, server: LoopbackServer, gateway: AgentGateway) -> None:
        self.server = server
        self.gateway = gateway
        self.deliveries = Deliveries()
        self.call = call
        self.response = response
        self.execution_id = EXECUTION

    def config(self, **config: Any) -> dict[str, Any]:
        return parse_agent("writer", config)

    def http(self, **config: Any) -> dict[str, Any]:
        return self.config(kind="http", url=f"{self.server.url}/run", **config)

    def chat(self, **config: Any) -> dict[str, Any]:
        return self.config(kind="openai_chat", base_url=f"{self.server.url}/v1", **({"model": "m-1"} | config))

    def ask(self, config: dict[str, Any], asked: AgentCall | None = None) -> Answer:
        self.gateway.begin(asked or call(), config, self.deliveries)
        return self.deliveries.next()


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    server = LoopbackServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def rig(server: LoopbackServer) -> Iterator[Rig]:
    allowed = OutgoingPolicy(read_secret_names("WRITER_KEY,WRITERS_*,NOT_SET_*"))
    gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base="https://flow.example/", policy=allowed)
    yield Rig(server, gateway)
    gateway.close(grace=timedelta())


@pytest.fixture(autouse=True)
def _records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted agents may keep their records in the test's own directory."""
    monkeypatch.setenv("PROCESSION_RECORDS", str(tmp_path))
