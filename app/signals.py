"""SIGINT and SIGTERM: the first requests an orderly end, the second ends the process at once."""

import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

AT_ONCE = 130
# Signal handlers run on the main thread only, and the system may wake another one.
CHECK_SECONDS = 0.5


class Stopping:
    """The request that this process ends. reason: its origin; failed: a part of the process broke."""

    def __init__(self) -> None:
        # Unlike an Event, a SimpleQueue accepts an item from a signal handler that interrupts the waiting thread.
        self._waking: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.requested = False
        self.failed = False
        self.reason = ""

    def request(self, reason: str, *, failed: bool = False) -> None:
        """Request an orderly end."""
        if not self.requested:
            self.reason, self.failed = reason, failed
            self.requested = True
            self._waking.put(None)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the request, at most `seconds`; return whether it was made."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.requested:
            left = CHECK_SECONDS if deadline is None else min(CHECK_SECONDS, deadline - time.monotonic())
            if left <= 0:
                break
            with suppress(queue.Empty):
                self._waking.get(timeout=left)
        return self.requested

    @contextmanager
    def on_signals(self) -> Iterator[Self]:
        """Handle signals while inside; on the main thread only."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            sys.stderr.write("\nended at once\n")
            sys.stderr.flush()
            os._exit(AT_ONCE)
        self.request(signal.Signals(number).name)
