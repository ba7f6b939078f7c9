"""The limit of the time in which a process ends: after it, the process ends whatever its threads do."""

import os
import queue
import sys
import threading

OVERDUE = 1
# From the end of the wait for open calls to the end of the process.
ENDING_SECONDS = 30.0


class EndLimit:
    """A thread that ends the process `seconds` after the request to end, unless the limit is lifted before.

    A database that stands still, neither answering nor closing connections, holds up every thread that waits for it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lifted = threading.Event()
        # A signal handler that interrupts the waiting thread may put into a SimpleQueue.
        self._requested: queue.SimpleQueue[None] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="end limit", daemon=True).start()

    def begin(self) -> None:
        """Begin to count; callable from a signal handler."""
        self._requested.put(None)

    def lift(self) -> None:
        """End the limit."""
        self._lifted.set()
        self._requested.put(None)

    def _watch(self) -> None:
        self._requested.get()
        if not self._lifted.wait(self._seconds):
            sys.stderr.write(f"\nthe process has not ended within {self._seconds:.0f} seconds, and is ended\n")
            sys.stderr.flush()
            os._exit(OVERDUE)


def threads_remain() -> bool:
    """Return whether threads run for whose end the interpreter waits, as those of pools of threads."""
    present = (threading.main_thread(), threading.current_thread())
    return any(not each.daemon for each in threading.enumerate() if each not in present)
