"""Health: the state of the database and its migrations, and the lag of the read models."""

import functools
import logging
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from queries.projections import Lag, read_lags
from queries.reading import Reading, fetch
from store.connections import Connections
from store.migrating import migrations
from store.replica import ReplicaConnections
from store.trouble import DEGRADING, STANDBY_STALLED, TROUBLES, ReplicaDown, Trouble, trouble_of
from store.unit import Outage

logger = logging.getLogger(__name__)

READY, UNREADY = "ready", "unready"
# Commits that wait for a synchronous standby are shown to their own role, which this one is.
OF_MAIN = """select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as writable,
  exists (select from pg_stat_activity
    where wait_event = 'SyncRep' and state_change < now() - interval '5 seconds') as unconfirmed,
  (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as used,
  current_setting('max_connections')::int
    - case when (select rolsuper from pg_roles where rolname = current_user) then 0
      else current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true), '0')::int end as most"""
REPLICA_UP, REPLICA_IS_DOWN = "up", "down"


class Live(msgspec.Struct, frozen=True):
    """The process answers requests."""

    status: str = "live"


class DatabaseConnections(msgspec.Struct, frozen=True):
    """Connections to the database's server, of all programs: those open, and the most that roles like ours may open."""

    open: int
    limit: int


class Readiness(msgspec.Struct, frozen=True):
    """database: ``up`` or ``down``, the primary. migrations: ``applied``, ``missing``, or ``unknown`` in an outage.

    replica: ``up`` or ``down``, null without one. connections: to the primary's server.
    reason: why the database does not serve, or serves in part only, where that is known.
    """

    status: str
    database: str
    migrations: str
    projections: dict[str, Lag] = {}
    reason: Trouble | None = None
    replica: str | None = None
    connections: DatabaseConnections | None = None


def get_readiness(reading: Reading, trouble: Trouble | None = None) -> Readiness:
    """Return whether the process can answer requests. Raises nothing for an outage: the answer states it.

    trouble: of the last append of this process; default: none.
    """
    replica, main = reading.replica, reading.progress.main
    try:
        with reading.datastore.reading() as connection:
            if not _is_migrated(connection):
                return Readiness(UNREADY, "up", "missing", replica=_state_of(replica))
            lags = read_lags(connection, reading.progress.shapes, reading.ahead)
        with main.reading() as connection:
            found = fetch(connection, OF_MAIN)[0]
    except ReplicaDown as error:
        return Readiness(UNREADY, *_of_main(main), reason=error.trouble, replica=REPLICA_IS_DOWN)
    except Outage as error:
        logger.warning("not ready: %s", error)
        # The pool gives no reason for having no connection.
        reason = trouble_of(error) or main.trouble()
        return Readiness(UNREADY, "down", "unknown", reason=reason, replica=_state_of(replica))
    except psycopg.errors.UndefinedTable as error:
        logger.warning("not ready: %s", error)
        return Readiness(UNREADY, "up", "missing", replica=_state_of(replica))
    connections = DatabaseConnections(found["used"], found["most"])
    if trouble is None or trouble.code in DEGRADING:
        if not found["writable"]:
            trouble = TROUBLES["25006"]
        elif found["unconfirmed"]:
            trouble = STANDBY_STALLED
        elif trouble is None and connections.open >= connections.limit:
            trouble = TROUBLES["53300"]
    if trouble is not None:
        logger.warning("not quite ready: %s", trouble.detail)
    status = READY if trouble is None or trouble.code in DEGRADING else UNREADY
    return Readiness(status, "up", "applied", lags, trouble, _state_of(replica), connections)


def _state_of(replica: ReplicaConnections | None) -> str | None:
    return None if replica is None else REPLICA_IS_DOWN if replica.down else REPLICA_UP


def _of_main(main: Connections) -> tuple[str, str]:
    """Return the states of the primary and its migrations."""
    try:
        with main.reading() as connection:
            return "up", "applied" if _is_migrated(connection) else "missing"
    except Outage as error:
        logger.warning("not ready: %s", error)
        return "down", "unknown"


def _is_migrated(connection: Connection[Any]) -> bool:
    if not fetch(connection, "select to_regclass('schema_migrations') is not null as exists")[0]["exists"]:
        return False
    found = fetch(connection, "select coalesce(max(number), 0) as number from schema_migrations")[0]["number"]
    return bool(found >= _newest())


@functools.cache
def _newest() -> int:
    return max(number for number, _, _ in migrations())
