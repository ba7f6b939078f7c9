"""A worker's sign of life, and what it does about others that gave none."""

import logging
import os
import socket
import threading
import time
from datetime import timedelta

from scheduler.calling import Attempt
from scheduler.dispatcher import Dispatcher
from store.answers import forget_old_answers
from store.datastore import OwnConnection
from store.lists import due_steps
from store.unit import Outage

logger = logging.getLogger(__name__)

CLEAR_UP_SECONDS = 3600.0
MOST_OFTEN_SECONDS = 0.05


class Lease:
    """Renews the lease of one dispatcher from a thread of its own, so that a long append cannot let it lapse.

    At each renewal it also puts the attempts of lost workers back on the list, ends calls whose attempts were taken
    away (cancelled, or answered elsewhere), and gives back attempts that are this worker's by the list but not in fact.
    """

    def __init__(self, dispatcher: Dispatcher, connection: OwnConnection, lease: timedelta) -> None:
        self._dispatcher = dispatcher
        self._connection = connection
        self._lease = lease
        self._stopping = threading.Event()
        self._gone = threading.Event()
        self._unexplained: set[Attempt] = set()
        self._clear_up_at = 0.0
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Renew once, then go on renewing three times a lease."""
        self.renew()
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing and put what is left back on the list at once."""
        self._stopping.set()
        self._gone.set()
        self._thread.join()
        try:
            with self._connection.borrow() as connection:
                due_steps.release_all(connection, self._dispatcher.worker_id)
        except Outage as error:
            logger.warning("could not give attempts back, the lease will run out instead: %s", error)
        self._connection.close()

    def attempts_gone(self) -> None:
        """Somebody ended attempts that may be this worker's: look soon."""
        self._gone.set()

    def renew(self) -> None:
        """One sign of life."""
        worker, calling = self._dispatcher.worker_id, self._dispatcher.calling
        open_before = calling.attempts()
        with self._connection.borrow() as connection:
            due_steps.renew(connection, worker, socket.gethostname(), os.getpid(), self._lease)
            due_steps.release_lost(connection)
            held = due_steps.held(connection, worker)
            calling.cancel(open_before - held)
            unexplained = held - calling.attempts()
            twice = unexplained & self._unexplained
            if twice:
                due_steps.unclaim(connection, worker, [(id, step) for id, step, _ in twice])
            self._unexplained = unexplained
        self._dispatcher.look_again()
        self._clear_up()

    def _clear_up(self) -> None:
        """Now and then, drop answers that nobody will ask for again; it does not matter which worker does."""
        if time.monotonic() >= self._clear_up_at:
            self._clear_up_at = time.monotonic() + CLEAR_UP_SECONDS
            with self._connection.borrow() as connection:
                forget_old_answers(connection)

    def _end_calls_gone(self) -> None:
        calling = self._dispatcher.calling
        open_before = calling.attempts()
        if open_before:
            with self._connection.borrow() as connection:
                calling.cancel(open_before - due_steps.held(connection, self._dispatcher.worker_id))

    def _run(self) -> None:
        interval = self._lease.total_seconds() / 3
        renew_at = time.monotonic() + interval
        while not self._stopping.wait(MOST_OFTEN_SECONDS):
            gone = self._gone.wait(max(0.0, renew_at - time.monotonic()))
            if self._stopping.is_set():
                return
            self._gone.clear()
            try:
                if gone:
                    self._end_calls_gone()
                if time.monotonic() >= renew_at:
                    renew_at = time.monotonic() + interval
                    self.renew()
            except Outage as error:
                logger.warning("could not renew the lease, trying again: %s", error)
