"""Servers on the loopback interface that answer each request as a test decides."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec


class Posted(NamedTuple):
    """A request. headers: their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Reply(NamedTuple):
    """The answer to a request. body: bytes as they are, or a document that goes as JSON."""

    status: int = 204
    body: Any = b""
    headers: dict[str, str] = {}

    def encoded(self) -> bytes:
        """The answer as HTTP/1.1 writes it."""
        body, headers = self.body, self.headers
        if not isinstance(body, bytes):
            body, headers = msgspec.json.encode(body), {"content-type": "application/json"} | headers
        lines = [f"HTTP/1.1 {self.status} X", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def response(status: int, body: Any = b"", **headers: str) -> bytes:
    """The bytes of a reply. Underscores in names of headers become hyphens."""
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()}).encoded()


class LoopbackServer:
    """Answers each request with the bytes that `respond` gives; None closes the connection."""

    def __init__(self) -> None:
        self.requests: list[Posted] = []
        self.closed_by_peer = threading.Event()
        self.respond: Callable[[Posted], Awaitable[bytes | None]] = self._nothing
        self.hangs_up = False
        self.url = ""
        self._ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def always(self, reply: bytes | None) -> None:
        async def respond(request: Posted) -> bytes | None:
            return reply

        self.respond = respond

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    async def _nothing(self, request: Posted) -> bytes | None:
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
                request = Posted(path, headers, body, method)
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

    async def _replied(self, reader: asyncio.StreamReader, request: Posted) -> bytes | None:
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


@contextmanager
def answering(answer: Callable[[Posted], Reply]) -> Iterator[str]:
    """Serve until the end of the block; yield the address. `answer` runs on a thread of its own for each request."""
    server, threads = LoopbackServer(), ThreadPoolExecutor(1_000)

    async def respond(request: Posted) -> bytes:
        return (await server.loop.run_in_executor(threads, answer, request)).encoded()

    server.respond = respond
    server.start()
    try:
        yield f"{server.url}/"
    finally:
        server.stop()
        threads.shutdown(wait=False)
