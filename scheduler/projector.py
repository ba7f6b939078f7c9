"""The loop that keeps read models up to date: every append wakes it, and it recovers from any outage.

Beside it, a builder builds the read models whose tables another release built.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from domain.clock import Clock
from projections import ALL
from projections.pages import PAGE
from projections.projection import Projection
from projections.running import Runner, State
from scheduler.building import Builder
from scheduler.inbox_retention import InboxRetention
from store.datastore import Datastore
from store.listening import LOG_CHANNEL, Listener
from store.unit import Outage

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0  # how long a wake-up that was lost goes unnoticed
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
DRAIN_SECONDS = 5.0
# While events keep coming, a pause between two pages lets more of them share the next transaction: a step costs
# one row instead of two, and an execution one update for many of its steps. The more events a second, the longer.
LINGER_SECONDS = ((15_000, 0.2), (5_000, 0.15), (2_000, 0.05), (0, 0.005))
BUSY_EVENTS = 500
# After a rest, a page of so many events is the first of a burst: what follows has so long to come and share the page,
# and the worker that appends it has the processor.
BURST_SECONDS = 0.1
INBOX_KEEPS = timedelta(days=30)


class Projector:
    """Threads that run `projections`, or stand by while another process does, and build what this release needs."""

    def __init__(
        self,
        datastore: Datastore,
        clock: Clock,
        projections: Sequence[Projection[Any]] = ALL,
        *,
        inbox_keeps: timedelta = INBOX_KEEPS,
    ) -> None:
        self._clock = clock
        self._retention = InboxRetention(datastore, clock, inbox_keeps)
        self._runner = Runner(datastore, projections)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0  # in a row
        self._busy = False
        self._builder = Builder(datastore, clock, projections, lambda: self._busy)
        self._listener = Listener(datastore, LOG_CHANNEL, lambda _payload: self._wake.set())
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def start(self) -> None:
        """Begin to project."""
        self._listener.start()
        self._thread.start()
        self._builder.start()

    def stop(self) -> None:
        """Project the rest of the log, for at most five seconds, and release the projections to another process."""
        self._stopping.set()
        self._wake.set()
        self._builder.stop()
        self._thread.join(2 * DRAIN_SECONDS)
        if self._thread.is_alive():
            # A statement, or a very large page, does not end. The process ends all the same; no page is half written.
            logger.error("the projector does not end and is left in the middle of a page")
            return
        self._listener.stop()

    @property
    def alive(self) -> bool:
        """Whether the loop runs, an outage included."""
        return self._thread.is_alive()

    @property
    def states(self) -> list[State]:
        """The state of every projection in this process: running, or on standby, and why."""
        return self._runner.states

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._project()
            except Outage as error:
                logger.warning("projecting was interrupted, trying again: %s", error)
            except Exception:
                logger.exception("projecting was interrupted by something unforeseen, trying again")
            else:
                break
            self._runner.close()
            self._stopping.wait(RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)])
            self._failures += 1
        self._runner.close()

    def _project(self) -> None:
        paused_at = read_at = self._clock.monotonic()
        linger = 0.0
        while not self._stopping.is_set():
            rested = self._clock.monotonic() - paused_at >= linger
            if not rested:
                self._stopping.wait(linger)
            self._runner.refresh()
            self._wake.clear()
            events = self._runner.advance(self._let_come if rested else None)
            self._failures = 0
            self._busy = events >= BUSY_EVENTS
            before, read_at = read_at, self._clock.monotonic()
            linger = linger_after(events / max(read_at - before, 0.001))
            if events < PAGE:
                self._retention.tidy()
                paused_at = self._clock.monotonic()
                self._wake.wait(POLL_SECONDS)
        self._drain()

    def _let_come(self, events: int) -> bool:
        burst = events >= BUSY_EVENTS
        if burst:
            self._stopping.wait(BURST_SECONDS)
        return burst

    def _drain(self) -> None:
        deadline = self._clock.monotonic() + DRAIN_SECONDS
        while self._clock.monotonic() < deadline and self._runner.advance() > 0:
            pass


def linger_after(rate: float) -> float:
    """Return the seconds to pause before the next page, while `rate` events come a second."""
    return next(seconds for least, seconds in LINGER_SECONDS if rate >= least)
