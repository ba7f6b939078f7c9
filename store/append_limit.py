"""The longest time of an append: then its connection is cut, and whether it recorded anything is not known."""

import os
import socket
import threading
from time import monotonic

APPEND_SECONDS = 10.0
CHECKS = 20
"""Checks in the time of the limit."""


class AppendLimit:
    """Cuts the connection of an append that takes longer than `seconds`. One append at a time is watched.

    The server carries on with it: a commit that waits for a synchronous standby takes effect once that confirms.
    """

    def __init__(self, seconds: float = APPEND_SECONDS) -> None:
        self.seconds = seconds
        self._guard = threading.Lock()
        self._watched: int | None = None
        self._ends_at = 0.0
        self._cut = False
        self._begun = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, descriptor: int) -> None:
        """Watch the append that begins on a connection. descriptor: of its socket."""
        with self._guard:
            self._watched, self._ends_at, self._cut = descriptor, monotonic() + self.seconds, False
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="append limit", daemon=True)
            self._thread.start()
        self._begun.set()

    def end(self) -> bool:
        """Watch no longer; return whether the connection was cut."""
        with self._guard:
            self._watched = None
            return self._cut

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._begun.set()

    def _watch(self) -> None:
        pause = self.seconds / CHECKS
        while not self._closed.is_set():
            with self._guard:
                if self._watched is None:
                    self._begun.clear()
                elif not self._cut and monotonic() > self._ends_at:
                    self._cut = True
                    _cut(self._watched)
            if self._begun.wait():
                self._closed.wait(pause)


def _cut(descriptor: int) -> None:
    """End the connection as if the network had: the thread that waits for its answer gets an error."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.shutdown(socket.SHUT_RDWR)
