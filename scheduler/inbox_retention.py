"""The projector's upkeep of inboxes: once an hour it drops entries that are too old."""

import logging
from datetime import timedelta

import psycopg

from domain.clock import Clock
from projections.inbox.retention import BATCH, drop_entries
from store.datastore import Datastore
from store.unit import Outage

logger = logging.getLogger(__name__)

HOUR_SECONDS = 3_600.0
AGAIN_SECONDS = 60.0


class InboxRetention:
    """Drops entries that are older than `keeps`. Not for two threads at once."""

    def __init__(self, datastore: Datastore, clock: Clock, keeps: timedelta) -> None:
        self._datastore = datastore
        self._clock = clock
        self._keeps = keeps
        self._next_at: float | None = None

    def tidy(self) -> None:
        """Drop a batch if an hour has passed, or if the batch before was full. A failure waits for another try."""
        now = self._clock.monotonic()
        if self._next_at is not None and now < self._next_at:
            return
        try:
            with self._datastore.reading() as connection:
                dropped = drop_entries(connection, self._clock.now() - self._keeps)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            dropped = 0  # the tables are those of another release, and are built anew
        except Exception as error:
            trace = None if isinstance(error, Outage) else error
            logger.error("old entries of inboxes stay until the next try: %s", error, exc_info=trace)
            self._next_at = now + AGAIN_SECONDS
            return
        if dropped < BATCH:
            self._next_at = now + HOUR_SECONDS
