"""The log read for one projection from beginning to end: only its events, the next page while this one is worked on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

BULK = 25_000  # positions a page: the more, the more of a step's events share a row; the more memory, too

HEAD = "select coalesce(max(notification_id), 0) as head from stored_events"
RANGE = """select notification_id, originator_id, originator_version, topic, state from stored_events
where notification_id > %s and notification_id <= %s and topic = any(%s) order by notification_id"""
COUNT = "select count(*) from stored_events where notification_id <= %s"


def head(connection: Connection[Any]) -> int:
    """The position of the newest event; 0 for an empty log."""
    return _number(connection, HEAD)


def count(connection: Connection[Any], until: int) -> int:
    """How many events there are up to a position."""
    return _number(connection, COUNT, until)


def read_range(connection: Connection[Any], after: int, until: int, topics: Sequence[str]) -> list[TupleRow]:
    """Rows (position, stream, version, topic, state) with after < position ≤ until, of these topics, in order."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(RANGE, (after, until, topics), prepare=True).fetchall()


def read_ahead(
    connection: Connection[Any], after: int, until: int, topics: Sequence[str]
) -> Iterator[tuple[int, list[TupleRow]]]:
    """(position reached, rows) page by page; `connection` reads the next page meanwhile: use another one to write."""
    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as reader:
        ends = [min(end, until) for end in range(after + BULK, until + BULK, BULK)]
        begins = [after, *ends[:-1]]
        coming = reader.submit(read_range, connection, after, ends[0], topics) if ends else None
        for n, end in enumerate(ends):
            assert coming is not None
            rows = coming.result()
            if n + 1 < len(ends):
                coming = reader.submit(read_range, connection, begins[n + 1], ends[n + 1], topics)
            yield end, rows


def _number(connection: Connection[Any], query: str, *parameters: int) -> int:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, parameters).fetchone()
    assert row is not None
    return int(row[0])
