"""Cost alerts about which no decision or act succeeds: set aside with their error, so that all others go on."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.alerts.crossing import Crossed
from store.lists import alerts_aside

logger = logging.getLogger(__name__)

# Tried again after a second, then after twice as long, and so on.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=5)
MOST_FOUND = 100
"""So many changes of its total are kept for an alert; the earliest are dropped first."""

FoundLevels = list[Crossed | None]
"""The changes of a total about one alert, in order: it reached the level, or fell below it (None)."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(FoundLevels).decode


class AlertsAside:
    """The alerts that are set aside, by the table; each method is part of the caller's transaction."""

    def found(self, connection: Connection[Any], ids: Collection[UUID], now: datetime) -> dict[UUID, FoundLevels]:
        """Return what is to be decided about alerts that are set aside: of those that are due, and of `ids`."""
        rows = alerts_aside.to_decide(connection, ids, now)
        return {id: [] if found is None else _decode(found) for id, found in rows.items()}

    def add(
        self, connection: Connection[Any], id: UUID, error: Exception, now: datetime, found: FoundLevels | None = None
    ) -> None:
        """Set an alert aside until its next try, or note one more failure; log the first one.

        found: in place of what was to be decided about it.
        """
        text = f"{type(error).__name__}: {error}"
        kept = _encode(found[-MOST_FOUND:]).decode() if found else None
        tries, next_try = alerts_aside.set_aside(connection, id, text, now, (FIRST_WAIT, LONGEST_WAIT), kept)
        level, trace = (logging.ERROR, error) if tries == 1 else (logging.INFO, None)
        logger.log(
            level, "cost alert %s is set aside until %s: %s", id, next_try.isoformat(), text[:2_000], exc_info=trace
        )

    def decided(self, connection: Connection[Any], ids: Collection[UUID]) -> None:
        """Take alerts back about which a decision succeeded."""
        if ids:
            alerts_aside.decided(connection, ids)

    def acted(self, connection: Connection[Any], id: UUID) -> None:
        """Take an alert back whose act succeeded."""
        alerts_aside.acted(connection, id)
