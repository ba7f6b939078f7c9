"""Health: the state of the database and its migrations, and the lag of the read models."""

import functools
import logging

import msgspec
import psycopg

from queries.projections import Lag, read_lags
from queries.reading import Reading, fetch
from store.migrating import migrations
from store.unit import Outage

logger = logging.getLogger(__name__)

READY, UNREADY = "ready", "unready"


class Live(msgspec.Struct, frozen=True):
    """The process answers requests."""

    status: str = "live"


class Readiness(msgspec.Struct, frozen=True):
    """database: ``up`` or ``down``. migrations: ``applied``, ``missing``, or ``unknown`` during an outage."""

    status: str
    database: str
    migrations: str
    projections: dict[str, Lag] = {}


def get_readiness(reading: Reading) -> Readiness:
    """Return whether the process can answer requests. Raises nothing for an outage: the answer states it."""
    try:
        with reading.datastore.reading() as connection:
            applied = fetch(connection, "select to_regclass('schema_migrations') is not null as exists")[0]["exists"]
            if applied:
                query = "select coalesce(max(number), 0) as number from schema_migrations"
                applied = fetch(connection, query)[0]["number"] >= _newest()
            if not applied:
                return Readiness(UNREADY, "up", "missing")
            return Readiness(READY, "up", "applied", read_lags(connection, reading.progress.shapes))
    except Outage as error:
        logger.warning("not ready: %s", error)
        return Readiness(UNREADY, "down", "unknown")
    except psycopg.errors.UndefinedTable as error:
        logger.warning("not ready: %s", error)
        return Readiness(UNREADY, "up", "missing")


@functools.cache
def _newest() -> int:
    return max(number for number, _, _ in migrations())
