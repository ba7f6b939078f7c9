"""Advisory locks: the holder of one, for the log of a process that waits for it."""

import logging
from itertools import chain, repeat
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

logger = logging.getLogger(__name__)

LOG_LOCK = 4711
MIGRATION_LOCK = 4712
NAMES = {LOG_LOCK: "the log", MIGRATION_LOCK: "migrations"}

TAKE = "select pg_advisory_xact_lock(%s)"
# A lock of one number has it in objid, and 1 in objsubid; one of two numbers has the first in classid.
HOLDERS = """select a.pid, a.application_name, a.client_addr::text, a.state, a.wait_event,
  extract(epoch from now() - a.state_change)::int
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and (case when %(of)s::bigint is null then l.objsubid = 1 and l.objid::bigint = %(lock)s
    else l.objsubid = 2 and l.classid::bigint = %(lock)s and l.objid::bigint = %(of)s end)"""


def take_lock(connection: Connection[Any], lock: int) -> None:
    """Take an advisory lock for the transaction. Waits as long as another holds it; after a second it states who."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        for patience in chain(("1s",), repeat("10s")):
            try:
                with connection.transaction():
                    cursor.execute(f"set local lock_timeout = '{patience}'")
                    cursor.execute(TAKE, (lock,))
            except psycopg.errors.LockNotAvailable:
                logger.warning("waiting for the lock of %s (%d), %s", NAMES[lock], lock, holder_of(connection, lock))
            else:
                return


def holder_of(connection: Connection[Any], lock: int, of: int | None = None) -> str:
    """Return for people which process of the server holds an advisory lock. of: the second number of its key.

    The server shows only to some roles what sessions of other roles do.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(HOLDERS, {"lock": lock, "of": of}).fetchone()
    if row is None:
        return "which is free now"
    pid, name, address, state, event, seconds = row
    doing = ", ".join(str(part) for part in (state, event) if part)
    since = f" for {seconds} s" if seconds is not None else ""
    who = f"{name or 'unnamed'} from {address or 'this host'}"
    return f"which process {pid} of the server holds ({who}; {doing}{since})"
