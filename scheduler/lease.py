"""A worker's lease: its renewal, which also puts the attempts of lost workers back on the list."""

import logging
import os
import socket
import threading
from datetime import timedelta

from domain.clock import Clock
from scheduler.dispatcher import Dispatcher
from scheduler.lists import Attempt, Lists
from store.unit import Outage

logger = logging.getLogger(__name__)

CLEAR_UP_SECONDS = 3600.0
STATEMENT_SECONDS = 10.0
"""How long a process that ends waits for a statement under way."""


class Lease:
    """Renews the lease of one dispatcher from a thread of its own, so that a long append cannot let it lapse.

    Each renewal also puts attempts back on the list, those of lost workers and those that are this worker's by the
    list but not in fact, and wakes every duty.
    """

    def __init__(self, dispatcher: Dispatcher, lists: Lists, clock: Clock, lease: timedelta) -> None:
        self._dispatcher = dispatcher
        self._lists = lists
        self._clock = clock
        self._lease = lease
        self._stopping = threading.Event()
        self._unexplained: set[Attempt] = set()
        self._clear_up_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Renew once, then go on renewing three times a lease."""
        self.renew()
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing, and put the worker's attempts back on the list at once."""
        self._stopping.set()
        self._thread.join(STATEMENT_SECONDS)
        if self._thread.is_alive():
            logger.error("a renewal of the lease does not end; the lease runs out")
            return
        try:
            self._lists.release_worker(self._dispatcher.worker_id)
        except Outage as error:
            logger.warning("could not give attempts back, the lease will run out instead: %s", error)
        self._lists.close()

    def renew(self) -> None:
        """Renew the lease once."""
        worker, calling = self._dispatcher.worker_id, self._dispatcher.calling
        self._lists.renew(worker, socket.gethostname(), os.getpid(), self._lease)
        self._lists.release_lost()
        unexplained = self._lists.held_steps(worker) - calling.attempts()
        twice = unexplained & self._unexplained
        if twice:
            self._lists.unclaim_steps(worker, [(id, step) for id, step, _ in sorted(twice)])
        self._unexplained = unexplained
        self._dispatcher.wake_all()
        self._clear_up()

    def _clear_up(self) -> None:
        """Drop answers that are too old, once an hour; any worker may do it."""
        now = self._clock.monotonic()
        if self._clear_up_at is None or now >= self._clear_up_at:
            self._clear_up_at = now + CLEAR_UP_SECONDS
            self._lists.forget_old_answers()

    def _run(self) -> None:
        interval = self._lease.total_seconds() / 3
        renew_at = self._clock.monotonic() + interval
        while not self._stopping.wait(max(0.0, renew_at - self._clock.monotonic())):
            renew_at = self._clock.monotonic() + interval
            try:
                self.renew()
            except Outage as error:
                logger.warning("could not renew the lease, trying again: %s", error)
            except Exception:
                logger.exception("could not renew the lease for an unforeseen reason, trying again")
