"""The life of the protocol in one application: loaded with its first request, ended with the application."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp

from edge.bodies import MAX_BODY


@dataclass(frozen=True)
class _Loaded:
    answer: ASGIApp
    running: Callable[[], AbstractAsyncContextManager[None]]


class ProtocolServer:
    """Serves ``/mcp`` in one event loop, between its first request and `stop`."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._answer: ASGIApp | None = None
        self._task: asyncio.Task[None] | None = None

    async def answering(self) -> ASGIApp:
        """Return what answers requests; the first call loads it, on a thread, because that takes a second."""
        if self._answer is None:
            async with self._starting:
                if self._answer is None:
                    loaded = await anyio.to_thread.run_sync(_load)
                    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._task = asyncio.create_task(self._run(loaded, ready))
                    await ready
                    self._answer = loaded.answer
        return self._answer

    async def stop(self) -> None:
        """End the requests that are open."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self, loaded: _Loaded, ready: asyncio.Future[None]) -> None:
        async with loaded.running():
            ready.set_result(None)
            await self._stopping.wait()


def _load() -> _Loaded:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from api.mcp.server import create_server

    # Hosts and origins are checked at the door, as for every request.
    sessions = StreamableHTTPSessionManager(create_server(), stateless=True, max_request_body_size=MAX_BODY)
    return _Loaded(sessions.handle_request, sessions.run)
