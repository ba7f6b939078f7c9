"""A server on the loopback interface that answers each POST as a test decides."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Posted(NamedTuple):
    """A request. headers: their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reply(NamedTuple):
    """The answer to a request. body: bytes as they are, or a document that goes as JSON."""

    status: int = 204
    body: Any = b""
    headers: dict[str, str] = {}


@contextmanager
def answering(answer: Callable[[Posted], Reply]) -> Iterator[str]:
    """Serve until the end of the block; yield the address. `answer` runs on a thread of its own for each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            named = {name.lower(): value for name, value in self.headers.items()}
            status, content, headers = answer(Posted(self.path, named, body))
            if not isinstance(content, bytes):
                content, headers = json.dumps(content).encode(), {"content-type": "application/json"} | headers
            with suppress(OSError):  # its caller was killed
                self.send_response(status)
                for name, value in (headers | {"content-length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 1_000

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
