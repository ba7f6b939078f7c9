"""A worker's lease, and its renewal, which waits for nothing else that the worker does."""

import logging
import os
import socket
import threading
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from domain.clock import Clock
from store.datastore import Datastore, OwnConnection
from store.lists import due_steps
from store.unit import Outage

logger = logging.getLogger(__name__)

STATEMENT_SECONDS = 10.0
"""How long a process that ends waits for a statement under way."""
RENEWALS = 3  # in the time of one lease
RETRIES = 4  # in the time between two renewals


class Leases(Protocol):
    """The leases of workers. Each method raises Outage when the database is out of reach."""

    def renew(self, worker: UUID, host: str, pid: int, lease: timedelta) -> None:
        """Record that `worker` lives, for another `lease`."""

    def close(self) -> None:
        """Close the connection; a later use opens another."""


class StoredLeases:
    """Implements `Leases` on a connection of its own, which cancels a late renewal in time for the next one.

    lease: as long as the worker's lease. part: names the connection.
    """

    def __init__(self, datastore: Datastore, lease: timedelta, part: str = "lease") -> None:
        limit = f"{max(100, round(lease.total_seconds() * 1000 / RENEWALS))}ms"
        self._connection = OwnConnection(
            datastore, part, synchronous_commit="off", lock_timeout=limit, statement_timeout=limit
        )

    def renew(self, worker: UUID, host: str, pid: int, lease: timedelta) -> None:
        """Record that `worker` lives, for another `lease`."""
        with self._connection.borrow() as connection:
            due_steps.renew(connection, worker, host, pid, lease)

    def close(self) -> None:
        """Close the connection; a later use opens another."""
        self._connection.close()


class Lease:
    """Renews the lease of one worker from a thread and a connection that do nothing else."""

    def __init__(self, worker: UUID, leases: Leases, clock: Clock, lease: timedelta) -> None:
        self._worker = worker
        self._leases = leases
        self._clock = clock
        self._lease = lease
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Renew once, then go on renewing three times a lease."""
        self.renew()
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing."""
        self._stopping.set()
        self._thread.join(STATEMENT_SECONDS)
        if self._thread.is_alive():
            logger.error("a renewal of the lease does not end; the lease runs out")
            return
        self._leases.close()

    def renew(self) -> None:
        """Renew the lease once."""
        self._leases.renew(self._worker, socket.gethostname(), os.getpid(), self._lease)

    def _run(self) -> None:
        interval = self._lease.total_seconds() / RENEWALS
        renew_at = self._clock.monotonic() + interval
        while not self._stopping.wait(max(0.0, renew_at - self._clock.monotonic())):
            begun = self._clock.monotonic()
            renew_at = begun + interval
            try:
                self.renew()
            except Outage as error:
                renew_at = begun + interval / RETRIES
                logger.warning("could not renew the lease, trying again: %s", error)
            except Exception:
                logger.exception("could not renew the lease for an unforeseen reason, trying again")
