"""Start-up probes: the server does what Procession needs of PostgreSQL, and nothing between takes it away."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from store.connections import Outage, connect, connect_without_settings
from store.session import LOCK_TIMEOUT
from store.unsuitable import DatabaseUnsuitable

__all__ = ["DatabaseUnsuitable", "probe", "problems_of"]

PROBE_LOCK = 4715
OLDEST = 140_000
NOTIFY_SECONDS = 10.0

FACTS = """select current_setting('server_version_num')::int, current_setting('server_encoding'), pg_is_in_recovery(),
  current_setting('transaction_read_only') = 'on', to_regnamespace('public') is not null,
  current_setting('lock_timeout'), current_setting('session_replication_role')"""
MAY_USE_TEMPORARY = (
    """select has_database_privilege(current_database(), 'TEMPORARY'), current_user, current_database()"""
)
TRY_SESSION, UNLOCK = "select pg_try_advisory_lock(%s, %s)", "select pg_advisory_unlock(%s, %s)"
TRY_TRANSACTION = "select pg_try_advisory_xact_lock(%s, %s)"
POOLER = "; a pooler between must use session pooling"


Probe = Callable[[Connection[Any], Connection[Any]], Iterator[str]]


def probe(dsn: str) -> None:
    """Try all that Procession relies on, on two connections; change nothing. Raises DatabaseUnsuitable, or Outage."""
    with _opened(dsn) as one, _opened(dsn) as other:
        problems = problems_of(one, other)
    if problems:
        raise DatabaseUnsuitable(problems)


def _opened(dsn: str) -> Connection[TupleRow]:
    """Return a connection. Raises DatabaseUnsuitable where the server takes one and refuses a setting of ours."""
    try:
        return connect(dsn)
    except Outage:
        raise
    except psycopg.Error as error:
        with connect_without_settings(dsn) as plain:
            version = _row(plain, "select version()")[0]
        reason = error.diag.message_primary or type(error).__name__
        raise DatabaseUnsuitable([f"{version} refuses the settings of a connection ({reason}){POOLER}"]) from error


def problems_of(one: Connection[TupleRow], other: Connection[TupleRow]) -> list[str]:
    """Return what is missing, as found on two sessions of one database."""
    found: list[str] = []
    for name, run in PROBES.items():
        try:
            found += run(one, other)
        except Outage as error:
            if one.closed or other.closed:
                raise
            found.append(_unusable(name, error))
        except psycopg.Error as error:
            found.append(_unusable(name, error))
            one.rollback()
            other.rollback()
    return found


def _unusable(name: str, error: psycopg.Error) -> str:
    return f"{name} cannot be used ({error.diag.message_primary or type(error).__name__})"


def _facts(one: Connection[Any], _other: Connection[Any]) -> Iterator[str]:
    version, encoding, standby, read_only, public, lock_timeout, replication = _row(one, FACTS)
    if version < OLDEST:
        yield f"the server is of version {version // 10_000}, and {OLDEST // 10_000} is the oldest that serves"
    if encoding != "UTF8":
        yield f"its encoding is {encoding}, and texts need UTF8: create database … encoding 'UTF8' template template0"
    if standby:
        yield "the server is a standby, and DATABASE_URL must name the primary"
    elif read_only:
        yield (
            "it is read-only: default_transaction_read_only is on for the server, the database or the role"
            " (alter database … reset default_transaction_read_only)"
        )
    if not public:
        yield "the schema public is missing: create schema public"
    if lock_timeout != LOCK_TIMEOUT:
        yield f"the settings of a connection do not arrive (lock_timeout is {lock_timeout}, not {LOCK_TIMEOUT}){POOLER}"
    if replication == "replica":
        yield (
            "its triggers do not fire: session_replication_role is replica for the server, the database or the role"
            " (alter role … reset session_replication_role)"
        )


def _session_locks(one: Connection[Any], other: Connection[Any]) -> Iterator[str]:
    key = (PROBE_LOCK, secrets.randbits(31))
    _row(one, TRY_SESSION, key)
    excluded = _row(other, TRY_SESSION, key) == (False,)
    released = _row(one, UNLOCK, key) == (True,)
    taken = _row(other, TRY_SESSION, key) == (True,)
    if not (excluded and released and taken):
        yield f"advisory locks of a session do not exclude other sessions{POOLER}"


def _transaction_locks(one: Connection[Any], other: Connection[Any]) -> Iterator[str]:
    key = (PROBE_LOCK, secrets.randbits(31))
    with one.transaction():
        _row(one, TRY_TRANSACTION, key)
        excluded = _row(other, TRY_TRANSACTION, key) == (False,)
    if not (excluded and _row(other, TRY_TRANSACTION, key) == (True,)):
        yield "advisory locks of a transaction do not exclude other transactions"


def _notifications(one: Connection[Any], other: Connection[Any]) -> Iterator[str]:
    channel = f"procession_probe_{secrets.token_hex(8)}"
    one.execute(f"listen {channel}")
    other.execute("select pg_notify(%s, 'probe')", (channel,))
    arrived = [each.payload for each in one.notifies(timeout=NOTIFY_SECONDS, stop_after=1)]
    if arrived != ["probe"]:
        yield f"a notification (LISTEN, NOTIFY) did not arrive within {NOTIFY_SECONDS:.0f} seconds{POOLER}"


def _skip_locked(one: Connection[Any], _other: Connection[Any]) -> Iterator[str]:
    allowed, role, database = _row(one, MAY_USE_TEMPORARY)
    if not allowed:
        yield f"the role {role} lacks TEMPORARY on database {database}, for temporary tables"
        return
    with one.transaction(force_rollback=True):
        one.execute("create temporary table procession_probe as select 1 as n")
        if _row(one, "select n from procession_probe for update skip locked") != (1,):
            yield "FOR UPDATE SKIP LOCKED leaves out a row that is free"


PROBES: dict[str, Probe] = {
    "the server's facts": _facts,
    "advisory locks": _session_locks,
    "advisory locks of a transaction": _transaction_locks,
    "notifications (LISTEN, NOTIFY)": _notifications,
    "temporary tables and FOR UPDATE SKIP LOCKED": _skip_locked,
}


def _row(connection: Connection[Any], query: str, parameters: tuple[Any, ...] = ()) -> TupleRow:
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise DatabaseUnsuitable([f"a query without a condition returns no row: {query.split()[1]}"])
    return tuple(row)
