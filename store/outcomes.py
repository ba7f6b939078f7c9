"""The outcome of an append that failed: a conflict, a unit that the server refuses, a lost connection."""

import psycopg

from store.recorder import EPOCH_OVER, MISSING, MOVED_ON, NO_SLOT
from store.trouble import trouble_of
from store.unit import (
    AppendRefused,
    Conflict,
    EpochOver,
    EventsMissing,
    KeyTaken,
    Outage,
    OutcomeUnknown,
    SlotsTaken,
    StoreError,
    UnitRefused,
)

OUT_OF_MEMORY = "53200"
LIMIT_EXCEEDED = "54"
"""The class of errors about values that are too large for the server, such as rows of an index."""
BUSY = frozenset(("40", "53", "55"))
"""The classes of errors about other transactions, and about the server as a whole."""
# A missing table, column or function: the database is not as this release needs it.
UNUSABLE = frozenset(("42703", "42883", "42P01"))


def outcome_of(error: Exception, *, sent: bool, alone: bool) -> StoreError:
    """Return why an append recorded nothing, or may have recorded nothing.

    sent: the append had a connection. alone: it held one unit. Raises `error` again when the database is not as this
    release needs it.
    """
    if isinstance(error, StoreError):
        return error
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if isinstance(error, psycopg.errors.UniqueViolation):
        return KeyTaken() if error.diag.table_name == "idempotency_keys" else Conflict(_primary(error))
    if state == MOVED_ON:
        return Conflict(_primary(error))
    if state == NO_SLOT:
        return SlotsTaken(_primary(error))
    if state == MISSING:
        return EventsMissing(_primary(error))
    if state == EPOCH_OVER:
        return EpochOver(_primary(error))
    if state in UNUSABLE and not _is_within(error):
        raise error
    trouble = trouble_of(error)
    if trouble is not None:
        # One unit may be the reason that the server runs out of memory: alone, it is set aside after some tries.
        return AppendRefused(trouble, alone=sent and alone and state == OUT_OF_MEMORY)
    if isinstance(error, Outage) and not (state or "").startswith(LIMIT_EXCEEDED):
        return OutcomeUnknown(str(error), alone=sent and alone and (state or "")[:2] not in BUSY)
    return UnitRefused(f"{type(error).__name__}: {_primary(error)}")


def _is_within(error: Exception) -> bool:
    """Return whether a function of the database, as a trigger, raised the error: another unit may not meet it."""
    return isinstance(error, psycopg.Error) and bool(error.diag.context)


def _primary(error: Exception) -> str:
    """Return the message without the details of PostgreSQL, which repeat values."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or str(error) or "no message"
