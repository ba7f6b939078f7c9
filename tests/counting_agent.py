"""An agent behind HTTP that counts: when each call came, how many were open at once, and what it answers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CountingAgent:
    """begun: when calls came, in seconds. keys: of their attempts. most_open: at once.

    takes: seconds of each call. tokens: that each uses. refusals: calls to answer with 429 and `retry_after` first.
    """

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.keys: list[str] = []
        self.most_open = 0
        self.takes = 0.0
        self.tokens = 0
        self.refusals = 0
        self.retry_after = 1
        self.url = ""
        self._open = 0
        self._lock = threading.Lock()

    def call(self, key: str) -> tuple[int, bytes]:
        """Count a call; return status and body of the answer."""
        with self._lock:
            self.begun.append(time.monotonic())
            self.keys.append(key)
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            refused = self.refusals > 0
            self.refusals -= refused
        threading.Event().wait(self.takes)
        with self._lock:
            self._open -= 1
        usage = {"input_tokens": self.tokens, "output_tokens": 0}
        return (429, b"") if refused else (200, json.dumps({"output": "done", "usage": usage}).encode())


@contextmanager
def counting_agent() -> Iterator[CountingAgent]:
    """Serve such an agent on a port of this machine."""
    agent = CountingAgent()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, body = agent.call(self.headers["idempotency-key"])
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                if status == 429:
                    self.send_header("retry-after", str(agent.retry_after))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # its caller was killed

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    agent.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield agent
    finally:
        server.shutdown()
        server.server_close()
