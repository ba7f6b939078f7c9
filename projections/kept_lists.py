"""How a list that every append keeps is proven against the log, and put right where it differs."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, Protocol

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, tuple_row

from projections.due_steps import LOG_LOCK
from projections.pages import connect
from projections.reading import BULK, count, head, read_range
from projections.rebuilding import Rebuilt
from projections.verifying import SAMPLES, Difference, Verified
from store.datastore import Datastore

Progress = Callable[[int, int], None]


class KeptList(Protocol):
    """What the log adds up to, as far as it was read."""

    @property
    def topics(self) -> Sequence[str]:
        """The names of the events that this follows from."""

    def fold(self, rows: Iterable[TupleRow]) -> None:
        """Go on by rows (position, stream, version, topic, state) of `topics`, in their order."""

    def compare(self, connection: Connection[Any]) -> tuple[int, list[Difference]]:
        """How many rows there should be, and every one that differs: missing, surplus or wrong."""

    def put_right(self, connection: Connection[Any]) -> None:
        """Change the rows that differ, and no others."""


def rebuild(kept: KeptList, datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the list right; appends wait only for the last few events. progress: called with positions done and to do.

    Raises psycopg.OperationalError during an outage; the list is then as it was.
    """
    begun = time.perf_counter()
    with closing(connect(datastore)) as connection:
        at = 0
        while (end := head(connection)) - at > (0 if at == 0 else BULK):
            at = _read(connection, kept, at, end, progress)
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (LOG_LOCK,))
            at = _read(connection, kept, at, head(connection), progress)
            kept.put_right(connection)
        seconds = time.perf_counter() - begun
        return Rebuilt(count(connection, at), seconds)


def verify(kept: KeptList, datastore: Datastore, progress: Progress) -> Verified:
    """Compare the list with what the log adds up to, in one snapshot; changes nothing.

    Raises psycopg.OperationalError during an outage.
    """
    with closing(connect(datastore)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            _read(connection, kept, 0, head(connection), progress)
            rows, differing = kept.compare(connection)
    return Verified(rows, len(differing), differing[:SAMPLES])


def tuples(connection: Connection[Any], query: str, parameters: Sequence[Any] = ()) -> list[TupleRow]:
    """The rows of `query`; ids as 16 bytes."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters).fetchall()


def _read(connection: Connection[Any], kept: KeptList, after: int, until: int, progress: Progress) -> int:
    for begin in range(after, until, BULK):
        end = min(begin + BULK, until)
        kept.fold(read_range(connection, begin, end, list(kept.topics)))
        progress(end, until)
    return until
