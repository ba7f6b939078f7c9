"""The log read from beginning to end for one reader: only its events, the next page while the reader works on one."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.catalogue import EVENTS
from store.datastore import Datastore
from store.sizes import is_full, page_query

BULK = 25_000  # positions a page: the more, the more of a step's events share a row; the more memory, too
FIRST = 10_000  # positions of the first page that is read ahead: its reader has nothing to do until it comes

# One transaction commits rows and position: after a crash the reader projects lost events again, so no commit waits
# for the disk.
# The server plans each statement once, by indexes: the statistics of a table that was empty a moment ago mislead.
SETTINGS = {"synchronous_commit": "off", "enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}

# Statements that stay prepared: a read table has one for each set of columns that pages state. psycopg keeps 100.
PREPARED = 500

HEAD = "select coalesce(max(notification_id), 0) as head from stored_events"
RANGE = page_query("notification_id > %(after)s and notification_id <= %(until)s and topic = any(%(topics)s)")
# Literals, not parameters: PostgreSQL hashes a list of constants, and compares parameters one by one.
USED_OR_UNKNOWN = "notification_id > %(after)s and notification_id <= %(until)s and topic not in ({ignored})"
COUNT = "select count(*) from stored_events where notification_id <= %s"

# Stored names of every event of this release.
KNOWN = frozenset(EVENTS)


class UnknownEventMet(RuntimeError):
    """The log holds an event that this release does not recognise; a newer release wrote it and projects it."""

    def __init__(self, position: int, topic: str) -> None:
        super().__init__(
            f"stands still before position {position}: this release does not know the event {topic!r}, "
            "a newer release wrote it"
        )
        self.position = position
        self.topic = topic


def known_part(rows: Sequence[TupleRow]) -> tuple[Sequence[TupleRow], UnknownEventMet | None]:
    """Return the rows before the first event that this release does not recognise, and that event."""
    if {row[3] for row in rows} <= KNOWN:
        return rows, None
    first = next(n for n, row in enumerate(rows) if row[3] not in KNOWN)
    return rows[:first], UnknownEventMet(rows[first][0], rows[first][3])


def connect(datastore: Datastore, part: str = "", **settings: str) -> Connection[DictRow]:
    """Return a new connection, to read the log and write what follows from it; ids are 16 bytes. part: names it."""
    connection = datastore.connect(part, **SETTINGS, **settings)
    connection.adapters.register_loader("uuid", ByteaBinaryLoader)
    connection.prepared_max = PREPARED
    return connection


def head(connection: Connection[Any]) -> int:
    """Return the position of the newest event; 0 for an empty log."""
    return _number(connection, HEAD)


def count(connection: Connection[Any], until: int) -> int:
    """Return the number of events up to a position."""
    return _number(connection, COUNT, until)


def read_range(connection: Connection[Any], after: int, until: int, topics: Sequence[str]) -> list[TupleRow]:
    """Return rows (position, stream, version, topic, state) with after < position ≤ until, of these topics.

    The last row is the one that makes the page full; see `reached`.
    """
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(RANGE, {"after": after, "until": until, "topics": topics}, prepare=True).fetchall()


def read_used(connection: Connection[Any], after: int, until: int, topics: Collection[str]) -> list[TupleRow]:
    """Return the same rows, and those of events that this release does not recognise."""
    query = page_query(USED_OR_UNKNOWN.format(ignored=_literals(KNOWN.difference(topics))))
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, {"after": after, "until": until}, prepare=True).fetchall()


def reached(rows: Sequence[TupleRow], until: int) -> int:
    """Return the position up to which `rows` are complete, at most `until`."""
    return rows[-1][0] if is_full(rows) else until


def read_pages(
    read: Callable[[int, int], list[TupleRow]], after: int, until: int
) -> Iterator[tuple[int, Sequence[TupleRow]]]:
    """Yield (position reached, rows) page by page. read: returns the rows between two positions, as read_used does."""
    while after < until:
        rows = read(after, min(after + BULK, until))
        after = reached(rows, min(after + BULK, until))
        yield after, rows


def read_ahead(
    connection: Connection[Any], after: int, until: int, topics: Collection[str]
) -> Iterator[tuple[int, Sequence[TupleRow]]]:
    """Yield (position reached, rows) page by page; `connection` reads the next page meanwhile: write on another one.

    Raises UnknownEventMet after the rows before that event.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as reader:
        end = min(after + FIRST, until)
        coming = reader.submit(read_used, connection, after, end, topics)
        while after < until:
            found = coming.result()
            after = reached(found, end)
            rows, unknown = known_part(found)
            if unknown is not None:
                yield unknown.position - 1, rows
                raise unknown
            if after < until:
                end = min(after + BULK, until)
                coming = reader.submit(read_used, connection, after, end, topics)
            yield after, rows


def _literals(topics: Collection[str]) -> str:
    """Return names of events, which are letters only, as a list of SQL literals."""
    return ", ".join(f"'{topic}'" for topic in sorted(topics)) or "''"


def _number(connection: Connection[Any], query: str, *parameters: int) -> int:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, parameters).fetchone()
    assert row is not None
    return int(row[0])
