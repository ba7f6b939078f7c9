"""An agent behind HTTP that counts: when each call came, how many were open at once, and what it answers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.loopback import Posted, Reply, answering


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

    def answer(self, call: Posted) -> Reply:
        """Count a call, and answer it."""
        with self._lock:
            self.begun.append(time.monotonic())
            self.keys.append(call.headers["idempotency-key"])
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            refused = self.refusals > 0
            self.refusals -= refused
        threading.Event().wait(self.takes)
        with self._lock:
            self._open -= 1
        if refused:
            return Reply(429, headers={"retry-after": str(self.retry_after)})
        return Reply(200, {"output": "done", "usage": {"input_tokens": self.tokens, "output_tokens": 0}})


@contextmanager
def counting_agent() -> Iterator[CountingAgent]:
    """Serve such an agent on a port of this machine."""
    agent = CountingAgent()
    with answering(agent.answer) as agent.url:
        yield agent
