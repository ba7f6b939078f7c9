"""The lock between the removal of events from the log and everything that reads the log from its beginning."""

from typing import Any

from psycopg import Connection

ARCHIVE_LOCK = 4718

WAIT_SHARED = "select pg_advisory_lock_shared(%s)"
RELEASE_SHARED = "select pg_advisory_unlock_shared(%s)"
TRY_ALONE = "select pg_try_advisory_xact_lock(%s) as done"


def wait_shared(connection: Connection[Any]) -> None:
    """Hold events in the log for the session: a build or a rebuild reads them in several transactions.

    Raises psycopg.errors.LockNotAvailable when the session's lock_timeout is over.
    """
    connection.execute(WAIT_SHARED, (ARCHIVE_LOCK,))


def release_shared(connection: Connection[Any]) -> None:
    """Release what `wait_shared` holds."""
    connection.execute(RELEASE_SHARED, (ARCHIVE_LOCK,))


def try_alone(connection: Connection[Any]) -> bool:
    """Take the lock for the transaction that removes events; return whether nothing else holds it."""
    row = connection.execute(TRY_ALONE, (ARCHIVE_LOCK,)).fetchone()
    return row is not None and bool(row["done"])
