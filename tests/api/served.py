"""An application behind a real server, for tests of answers that stay open."""

import asyncio
import socket
import threading
from typing import Any

import uvicorn

START_SECONDS = 120


class Served:
    """An application behind uvicorn on a thread."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=60)
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self.server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        self.app.state.feed.close()
        self.server.should_exit = True
        self._thread.join(timeout=START_SECONDS)
        assert not self._thread.is_alive(), "the server did not end"
