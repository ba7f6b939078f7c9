"""The HTTP API on a thread of its own, so that the main thread is free for signals and output."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

import uvicorn

from api.app import create_app
from app.connections import ConnectionLimits, ServerConnections
from app.sockets import url_of
from edge.door import Door
from web.app import PagesBeside, create_pages

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
CLOSE_SECONDS = 5
TICKS_A_CHECK = 5


class ApiServer:
    """Serves on a socket that is bound already. failed: called, from its thread, if the server ends without `stop`."""

    def __init__(self, door: Door, bound: socket.socket, failed: Callable[[], None], limits: ConnectionLimits) -> None:
        self._app = create_app(door)
        connections = ServerConnections(limits)
        config = uvicorn.Config(
            PagesBeside(self._app, create_pages(door, self._app.openapi)),
            http=connections.protocol(),
            loop="uvloop",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=limits.keep_alive_seconds,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        self.url = url_of(bound)
        self._socket = bound
        self._server = _Server(config, connections)
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        """Begin to serve; return when the API accepts requests. Raises RuntimeError if it does not start."""
        self._thread.start()
        self._server.up.wait(START_SECONDS)
        if not self._server.started:
            raise RuntimeError("the API did not start; see the log above")

    def stop(self) -> None:
        """Accept no new requests, answer the open ones, end streams; within a few seconds."""
        self._app.state.feed.close()
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
                runner.run(self._server.serve(sockets=[self._socket]))
        except SystemExit:
            logger.error("the API could not start")
        finally:
            self._server.up.set()
            if not self._server.should_exit:
                self._failed()


class _Server(uvicorn.Server):
    """A server that sets `up` once it has started, and checks its connections."""

    def __init__(self, config: uvicorn.Config, connections: ServerConnections) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._connections = connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def on_tick(self, counter: int) -> bool:
        """Check the time of connections every half second; uvicorn calls this ten times a second."""
        if counter % TICKS_A_CHECK == 0:
            self._connections.check(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)
