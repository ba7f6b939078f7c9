"""Why there is no connection: a pool that waits for one gives no reason, and a further attempt shows it."""

import threading
from collections.abc import Callable
from time import monotonic

import psycopg

KNOWN_SECONDS = 2.0


class FailedConnections:
    """The reason for which a server takes no connection, tried by one thread at a time, at most every two seconds.

    attempt: opens a connection, within a short limit of time, and closes it.
    """

    def __init__(self, attempt: Callable[[], None]) -> None:
        self._attempt = attempt
        self._trying = threading.Lock()
        self._tried_at = 0.0
        self.error: psycopg.Error | None = None
        """The error of the last attempt; None: it succeeded."""

    def tried(self) -> psycopg.Error | None:
        """Return the error of a new connection, or of the attempt a moment ago; None: it succeeds."""
        with self._trying:
            if monotonic() - self._tried_at > KNOWN_SECONDS:
                try:
                    self._attempt()
                except psycopg.Error as error:
                    self.error = error
                else:
                    self.error = None
                self._tried_at = monotonic()
            return self.error

    def reason(self, most: int) -> str:
        """Return for people why there is no connection. most: the connections of the pool."""
        error = self.tried()
        if error is None:
            return f"all {most} connections of this pool are in use (PROCESSION_POOL_SIZE)"
        lines = str(error).strip().splitlines()
        return lines[0] if lines else type(error).__name__
