"""The outcome of an append that failed: a conflict, a unit that the server refuses, a lost connection."""

import psycopg

from store.recorder import MISSING, MOVED_ON
from store.unit import Conflict, EventsMissing, KeyTaken, Outage, OutcomeUnknown, StoreError, UnitRefused

READ_ONLY, DISK_FULL, OUT_OF_MEMORY = "25006", "53100", "53200"
LIMIT_EXCEEDED = "54"
"""The class of errors about values that are too large for the server, such as rows of an index."""
BUSY = frozenset(("40", "53", "55"))
"""The classes of errors about other transactions, and about the server as a whole."""
# A missing table, column or function, or a missing privilege: the database is not as this release needs it.
UNUSABLE = frozenset(("42501", "42703", "42883", "42P01"))


def outcome_of(error: Exception, *, sent: bool, alone: bool) -> StoreError:
    """Return why an append recorded nothing, or may have recorded nothing.

    sent: the append had a connection. alone: it held one unit. Raises `error` again, or an Outage, when the database
    can record nothing at all now.
    """
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if isinstance(error, psycopg.errors.UniqueViolation):
        return KeyTaken() if error.diag.table_name == "idempotency_keys" else Conflict(_primary(error))
    if state == MOVED_ON:
        return Conflict(_primary(error))
    if state == MISSING:
        return EventsMissing(_primary(error))
    if state == READ_ONLY:
        raise psycopg.OperationalError(f"the database is read-only: {error}") from error
    if state == DISK_FULL or (state in UNUSABLE and not _is_within(error)):
        raise error
    if isinstance(error, Outage) and not _is_refusal(state):
        return OutcomeUnknown(str(error), alone=sent and alone and (state or "")[:2] not in BUSY)
    return UnitRefused(f"{type(error).__name__}: {_primary(error)}")


def _is_within(error: Exception) -> bool:
    """Return whether a function of the database, as a trigger, raised the error: another unit may not meet it."""
    return isinstance(error, psycopg.Error) and bool(error.diag.context)


def _is_refusal(state: str | None) -> bool:
    return state is not None and (state.startswith(LIMIT_EXCEEDED) or state == OUT_OF_MEMORY)


def _primary(error: Exception) -> str:
    """Return the message without the details of PostgreSQL, which repeat values."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or str(error) or "no message"
