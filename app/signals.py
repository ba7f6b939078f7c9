"""SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once."""

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
# Signal handlers run on the main thread only, which the system need not be the one to wake.
LOOK_SECONDS = 0.5


class Stopping:
    """Whether this process has been asked to end. reason: by whom or what; failed: something broke."""

    def __init__(self) -> None:
        # Unlike an Event, a SimpleQueue may be put into by a signal handler that interrupts whoever waits for it.
        self._waking: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.asked = False
        self.failed = False
        self.reason = ""

    def ask(self, reason: str, *, failed: bool = False) -> None:
        """Ask for an orderly end."""
        if not self.asked:
            self.reason, self.failed = reason, failed
            self.asked = True
            self._waking.put(None)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is asked for, at most `seconds`; whether it was."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.asked:
            left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, deadline - time.monotonic())
            if left <= 0:
                break
            with suppress(queue.Empty):
                self._waking.get(timeout=left)
        return self.asked

    @contextmanager
    def on_signals(self) -> Iterator[Self]:
        """Hear signals while inside; on the main thread only."""
        before = {number: signal.signal(number, self._heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            sys.stderr.write("\nended at once\n")
            sys.stderr.flush()
            os._exit(AT_ONCE)
        self.ask(signal.Signals(number).name)
