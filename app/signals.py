"""SIGINT and SIGTERM: the first requests an orderly end, which has a limit; the second ends the process at once."""

import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

from app.end_limit import EndLimit, threads_remain

AT_ONCE = 130
# Signal handlers run on the main thread only, and the system may wake another one.
CHECK_SECONDS = 0.5


class EndedEarly(BaseException):
    """A signal ends the process before it is ready. No handler of errors catches it, wherever it is raised."""


class Stopping:
    """The request that this process ends. reason: its origin; failed: a part of the process broke."""

    def __init__(self) -> None:
        self._starting = False
        self._limit: EndLimit | None = None
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
            if self._limit is not None:
                self._limit.begin()

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
    def starting(self) -> Iterator[None]:
        """Let a signal raise EndedEarly while inside: there is nothing to drain, and a start may wait for ever."""
        self._starting = True
        try:
            if self.requested:
                raise EndedEarly
            yield
        finally:
            self._starting = False

    @contextmanager
    def on_signals(self, limit: float) -> Iterator[Self]:
        """Handle signals while inside; on the main thread only. limit: seconds from the request to the end."""
        self._limit = EndLimit(limit)
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if not (self.requested and threads_remain()):
                self._limit.lift()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            sys.stderr.write("\nended at once\n")
            sys.stderr.flush()
            os._exit(AT_ONCE)
        self.request(signal.Signals(number).name)
        if self._starting:
            raise EndedEarly
