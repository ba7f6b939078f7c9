"""Connections to the read replica, which fall back to the primary while the replica is down."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from store.connections import NAME, Connections, Outage
from store.trouble import ReplicaDown

logger = logging.getLogger(__name__)

FIRST_SECONDS = 2.0
"""The longest wait for a connection that shows that the replica is down; later queries do not wait."""
RETRY_SECONDS = 1.0


class ReplicaConnections(Connections):
    """Connections for queries. fallback: while the replica is down, queries go to `primary`; else they are refused.

    A thread tries the replica once a second while it is down; no query waits for that.
    """

    def __init__(
        self, dsn: str, primary: Connections, *, fallback: bool = True, pool_size: int = 10, name: str = NAME
    ) -> None:
        self.primary = primary
        self.fallback = fallback
        self._guard = threading.Lock()
        self._down = False
        self._closed = threading.Event()
        super().__init__(dsn, pool_size=pool_size, name=name, primary=primary.epochs)

    @property
    def down(self) -> bool:
        """Whether the replica could not be reached last."""
        return self._down

    @contextmanager
    def reading(self, timeout: float | None = None) -> Iterator[Connection[DictRow]]:
        """Lend a connection to the replica, or while that is down to the primary. Raises Outage, or ReplicaDown."""
        with ExitStack() as lent:
            connection = None
            if not self._down:
                try:
                    connection = lent.enter_context(super().reading(min(timeout or FIRST_SECONDS, FIRST_SECONDS)))
                except Outage as error:
                    if self._failed.tried() is not None:
                        self._fell(error)
                    elif not self.fallback:  # all its connections are in use
                        connection = lent.enter_context(super().reading(timeout))
            if connection is None:
                if not self.fallback:
                    raise ReplicaDown
                yield lent.enter_context(self.primary.reading(timeout))
                return
            try:
                yield connection
            except Outage as error:
                if connection.closed:
                    self._fell(error)
                raise

    def close(self) -> None:
        """Close the pool, and try the replica no more."""
        self._closed.set()
        super().close()

    def _fell(self, error: BaseException) -> None:
        with self._guard:
            if self._down:
                return
            self._down = True
        instead = "queries go to the primary" if self.fallback else "queries are refused"
        logger.warning("the replica of READ_DATABASE_URL is down, %s: %s", instead, error)
        threading.Thread(target=self._await, name="replica", daemon=True).start()

    def _await(self) -> None:
        """Try the replica until it answers; then begin with a new pool, since an old one pauses between attempts."""
        while not self._closed.wait(RETRY_SECONDS):
            try:
                with self.connect("replica") as connection:
                    connection.execute("select 1")
            except psycopg.Error as error:
                logger.debug("the replica is down: %s", error)
                continue
            self.renew_pool()
            self._down = False
            logger.info("the replica of READ_DATABASE_URL is back")
            return
