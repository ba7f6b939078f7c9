"""Health: the state of the database and its migrations, and the lag of the read models."""

import functools
import logging

import msgspec
import psycopg

from queries.projections import Lag, read_lags
from queries.reading import Reading, fetch
from store.migrating import migrations
from store.trouble import TROUBLES, Trouble, trouble_of
from store.unit import Outage

logger = logging.getLogger(__name__)

READY, UNREADY = "ready", "unready"
WRITABLE = "select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as writable"


class Live(msgspec.Struct, frozen=True):
    """The process answers requests."""

    status: str = "live"


class Readiness(msgspec.Struct, frozen=True):
    """database: ``up`` or ``down``. migrations: ``applied``, ``missing``, or ``unknown`` during an outage.

    reason: why the database does not serve, where that is known.
    """

    status: str
    database: str
    migrations: str
    projections: dict[str, Lag] = {}
    reason: Trouble | None = None


def get_readiness(reading: Reading, trouble: Trouble | None = None) -> Readiness:
    """Return whether the process can answer requests. Raises nothing for an outage: the answer states it.

    trouble: of the last append of this process; default: none.
    """
    try:
        with reading.datastore.reading() as connection:
            applied = fetch(connection, "select to_regclass('schema_migrations') is not null as exists")[0]["exists"]
            if applied:
                query = "select coalesce(max(number), 0) as number from schema_migrations"
                applied = fetch(connection, query)[0]["number"] >= _newest()
            if not applied:
                return Readiness(UNREADY, "up", "missing")
            lags = read_lags(connection, reading.progress.shapes)
        if trouble is None:
            with reading.progress.main.reading() as connection:
                writable = fetch(connection, WRITABLE)[0]["writable"]
            trouble = None if writable else TROUBLES["25006"]
        if trouble is not None:
            logger.warning("not ready: %s", trouble.detail)
        return Readiness(READY if trouble is None else UNREADY, "up", "applied", lags, trouble)
    except Outage as error:
        logger.warning("not ready: %s", error)
        # The pool gives no reason for having no connection.
        return Readiness(UNREADY, "down", "unknown", reason=trouble_of(error) or _trouble(reading))
    except psycopg.errors.UndefinedTable as error:
        logger.warning("not ready: %s", error)
        return Readiness(UNREADY, "up", "missing")


def _trouble(reading: Reading) -> Trouble | None:
    return reading.datastore.trouble() or reading.progress.main.trouble()


@functools.cache
def _newest() -> int:
    return max(number for number, _, _ in migrations())
