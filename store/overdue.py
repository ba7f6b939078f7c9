"""Why an append takes too long: a synchronous standby that confirms no commits, or another holder of the log's lock."""

import logging

import psycopg

from store.connections import Outage
from store.datastore import Datastore
from store.locks import LOG_LOCK, holder_of
from store.trouble import APPEND_OVERDUE, STANDBY_STALLED
from store.unit import AppendOverdue

logger = logging.getLogger(__name__)

READ_SECONDS = 1.0
UNCONFIRMED = "select count(*) as commits from pg_stat_activity where wait_event = 'SyncRep'"


def overdue(datastore: Datastore, seconds: float) -> AppendOverdue:
    """Return the outcome of an append that took longer than `seconds`, and log what it waited for."""
    trouble = APPEND_OVERDUE
    try:
        with datastore.reading(READ_SECONDS) as connection:
            row = connection.execute(UNCONFIRMED).fetchone()
            if row is not None and row["commits"]:
                trouble = STANDBY_STALLED
            holder = holder_of(connection, LOG_LOCK)
    except Outage as error:
        logger.warning("an append took longer than %g s; the reason cannot be read: %s", seconds, error)
    else:
        logger.warning("an append took longer than %g s: it waited for the lock of the log (4711), %s", seconds, holder)
    return AppendOverdue(trouble, seconds)


def waited_for_a_lock(error: BaseException) -> bool:
    """Return whether the server ended an append because it waited for a lock as long as the limit."""
    return isinstance(error, psycopg.errors.LockNotAvailable)
