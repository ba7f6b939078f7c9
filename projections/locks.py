"""Advisory locks of projections: one process runs a projection, and one process builds its tables;
one process at a time carries out what operators request.
"""

import zlib
from typing import Any

from psycopg import Connection

from store import locks

RUNNER_LOCK = 4713
REBUILD_LOCK = 4714
REQUEST_LOCK = 4717

TRY_LOCK = "select pg_try_advisory_lock(%s, %s) as done"
LOCK = "select pg_advisory_lock(%s, %s)"
UNLOCK = "select pg_advisory_unlock(%s, %s) as done"


def lock_key(name: str) -> int:
    """Return a projection's number among locks: a signed 32-bit integer that never changes."""
    return zlib.crc32(name.encode()) - 2**31


def try_lock(connection: Connection[Any], lock: int, name: str) -> bool:
    """Take the lock of projection `name` for the session; return whether it was free."""
    row = connection.execute(TRY_LOCK, (lock, lock_key(name)), prepare=True).fetchone()
    return row is not None and bool(row["done"])


def wait_for_lock(connection: Connection[Any], lock: int, name: str) -> None:
    """Take the lock of projection `name` for the session.

    Raises psycopg.errors.LockNotAvailable when the session's lock_timeout is over.
    """
    connection.execute(LOCK, (lock, lock_key(name)))


def unlock(connection: Connection[Any], lock: int, name: str) -> None:
    """Release the lock of projection `name`."""
    connection.execute(UNLOCK, (lock, lock_key(name)), prepare=True)


def holder_of(connection: Connection[Any], lock: int, name: str) -> str:
    """Return for people which process of the server holds the lock of projection `name`."""
    return locks.holder_of(connection, lock, lock_key(name) % 2**32)
