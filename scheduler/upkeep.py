"""A worker's upkeep of the lists: attempts of lost workers, claims without a call, answers that are too old."""

import logging
import threading
from datetime import datetime, timedelta

from domain.clock import Clock
from scheduler.dispatcher import Dispatcher
from scheduler.lists import Attempt, Lists
from store.unit import Outage

logger = logging.getLogger(__name__)

CLEAR_UP_SECONDS = 3600.0
FIRST_SECONDS = 0.1


class Upkeep:
    """Puts attempts back on the list: those of lost workers, and those that the worker has by the list but not in fact.

    It then wakes every duty, and drops old answers of commands. It works from a thread of its own, `every` so often.
    """

    def __init__(self, dispatcher: Dispatcher, lists: Lists, clock: Clock, every: timedelta) -> None:
        self._dispatcher = dispatcher
        self._lists = lists
        self._clock = clock
        self._every = every.total_seconds()
        self._stopping = threading.Event()
        self._unexplained: set[Attempt] = set()
        self._clear_up_at: float | None = None
        self._cleared_to: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Do it once, a short part of what is to be dropped included; then go on."""
        self.tidy()
        self.clear_up(self._clock.monotonic() + FIRST_SECONDS)
        self._thread.start()

    def stop(self) -> None:
        """End the upkeep, and put the worker's attempts back on the list at once."""
        self._stopping.set()
        self._thread.join()
        try:
            self._lists.release_worker(self._dispatcher.worker_id)
        except Outage as error:
            logger.warning("could not give attempts back, the lease will run out instead: %s", error)
        self._lists.close()

    def tidy(self) -> None:
        """Put attempts back on the list, and wake every duty."""
        worker, calling = self._dispatcher.worker_id, self._dispatcher.calling
        self._lists.release_lost()
        unexplained = self._lists.held_steps(worker) - calling.attempts()
        twice = unexplained & self._unexplained
        if twice:
            self._lists.unclaim_steps(worker, [(id, step) for id, step, _ in sorted(twice)])
        self._unexplained = unexplained
        self._dispatcher.wake_all()

    def clear_up(self, until: float) -> None:
        """Once an hour, drop answers that are too old: some at a time, with pauses as long; `until` an instant at most.

        The next call continues after that. Any worker may drop them; while one does, the others leave it to that one.
        """
        now = self._clock.monotonic()
        if self._clear_up_at is not None and now < self._clear_up_at:
            return
        while now < until:
            self._cleared_to = self._lists.forget_old_answers(self._cleared_to)
            if self._cleared_to is None:
                self._clear_up_at = now + CLEAR_UP_SECONDS
                return
            begun, now = now, self._clock.monotonic()
            if self._stopping.wait(now - begun):
                return
            now = self._clock.monotonic()

    def _run(self) -> None:
        next_at = self._clock.monotonic() + self._every
        while not self._stopping.wait(max(0.0, next_at - self._clock.monotonic())):
            next_at = self._clock.monotonic() + self._every
            try:
                self.tidy()
                self.clear_up(next_at)
            except Outage as error:
                logger.warning("the upkeep of the lists was interrupted, trying again: %s", error)
            except Exception:
                logger.exception("the upkeep of the lists failed for an unforeseen reason, trying again")
