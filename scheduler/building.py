"""The loop that builds read tables of this release beside those of another release, and what operators request."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from domain.clock import Clock
from projections import ALL, builds
from projections.building import RebuildRunning
from projections.pages import Broken, describe
from projections.projection import Projection
from projections.rebuilding import build_if_stale
from projections.switching import HandOverRefused, replaced_digests
from projections.tables import stale_names
from scheduler.requested import BuildInterrupted, RequestedActs
from store.datastore import Datastore
from store.reading import UnknownEventMet
from store.unit import Outage

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RETRY_SECONDS = 10.0  # after a build that stands still: it may need a newer release, or an operator
STOP_SECONDS = 5.0


class Builder:
    """A thread that builds one projection at a time, unless another process builds it.

    busy: returns whether live projections need the processor; the build then pauses for as long as it works.
    """

    def __init__(
        self,
        datastore: Datastore,
        clock: Clock,
        projections: Sequence[Projection[Any]] = ALL,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._datastore = datastore
        self._clock = clock
        self._projections = projections
        self._busy = busy
        self._stopping = threading.Event()
        self._retry_at: dict[str, float] = {}
        self._page_at = 0.0
        self._requested = RequestedActs(datastore, clock, projections, self._progress)
        self._thread = threading.Thread(target=self._run, name="builder", daemon=True)

    def start(self) -> None:
        """Begin to build what is stale."""
        self._thread.start()

    def stop(self) -> None:
        """Interrupt a build after its page; wait at most five seconds for its end."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                for projection in self._stale():
                    self._build(projection)
                self._page_at = self._clock.monotonic()
                self._requested.work()
            except BuildInterrupted:
                return
            except Outage as error:
                logger.warning("building read tables was interrupted, trying again: %s", error)
            except Exception:
                logger.exception("building read tables was interrupted by an unforeseen error, trying again")
            self._stopping.wait(POLL_SECONDS)

    def _stale(self) -> list[Projection[Any]]:
        with self._datastore.reading() as connection:
            stale = set(stale_names(connection, self._projections))
            replaced = replaced_digests(connection) if stale else set()
        return [
            projection
            for projection in self._projections
            if projection.name in stale
            and (projection.name, projection.digest) not in replaced
            and self._clock.monotonic() >= self._retry_at.get(projection.name, 0.0)
        ]

    def _build(self, projection: Projection[Any]) -> None:
        name = projection.name
        self._page_at = self._clock.monotonic()
        try:
            built = build_if_stale(self._datastore, projection, self._progress)
        except RebuildRunning as error:
            logger.debug("%s", error)
        except (UnknownEventMet, Broken, HandOverRefused, psycopg.errors.LockNotAvailable) as error:
            logger.warning("the new tables of %s wait: %s", name, error)
            self._wait(name, _reason(name, error))
        except (*Outage, BuildInterrupted):
            raise
        except Exception as error:
            # The other read models, and requested acts, do not wait for it.
            logger.exception("the new tables of %s wait", name)
            self._wait(name, describe(error))
        else:
            if built is not None:
                logger.info("built %s from %d events in %.1f s", name, built.events, built.seconds)

    def _wait(self, name: str, reason: str) -> None:
        self._retry_at[name] = self._clock.monotonic() + RETRY_SECONDS
        with self._datastore.reading() as connection:
            builds.fail(connection, name, reason)

    def _progress(self, _done: int, _total: int) -> None:
        worked = self._clock.monotonic() - self._page_at
        if self._stopping.wait(worked if self._busy() else 0.0):
            raise BuildInterrupted
        self._page_at = self._clock.monotonic()


def _reason(name: str, error: Exception) -> str:
    return f"{name} {error}" if isinstance(error, UnknownEventMet) else describe(error)
