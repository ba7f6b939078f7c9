"""The events that leave the log with their large results: read in order, and removed in one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from store import arrays
from store.archive.manifest import ArchivedExecution
from store.archive.parquet import EventRow, ResultRow

PAGE = 2_000

EVENTS = """select notification_id, originator_id, originator_version, topic, state from stored_events
where originator_id = any(%b) order by notification_id"""
RESULTS = """select execution_id, digest, content from large_results where execution_id = any(%b)
order by execution_id, digest"""
EXTENTS = """select originator_id, count(*), min(notification_id), max(notification_id),
  sum(octet_length(state))::bigint
from stored_events where originator_id = any(%b) group by originator_id"""
DELETE_EVENTS = "delete from stored_events where originator_id = any(%b)"
DELETE_RESULTS = "delete from large_results where execution_id = any(%b)"
DELETE_TREES = "delete from families where root = any(%b)"
# An append that began before this transaction may have committed since: no statement above removed its events.
LEFT = """select exists (select from stored_events where originator_id = any(%(ids)b))
  or exists (select from large_results where execution_id = any(%(ids)b))
  or exists (select from due_steps where execution_id = any(%(ids)b))
  or exists (select from due_timers where execution_id = any(%(ids)b))
  or exists (select from admissions where execution_id = any(%(ids)b))
  or exists (select from set_aside where execution_id = any(%(ids)b))
  or exists (select from outbox where source = any(%(ids)b) or recipient = any(%(ids)b)) as is_left"""
RECORD = """insert into archived_executions (execution_id, position, root_id, process_id, process, version, trigger,
  status, body, started_position, started_at, ended_at)
select execution_id, %b, root_id, process_id, process, version, trigger, status, body, started_position, started_at,
  ended_at
from unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b) as x(execution_id, root_id, process_id, process, version,
  trigger, status, body, started_position, started_at, ended_at)"""
COUNT = """insert into archived_counts (process_id, executions)
select process_id, count(*) from archived_executions where position = %s and not body group by process_id
on conflict (process_id) do update set executions = archived_counts.executions + excluded.executions"""
KEEP = "insert into archived_figures (position, projection, table_name, rows) values (%s, %s, %s, %s)"


class StreamExtent(msgspec.Struct, frozen=True):
    """The events of one stream: how many, their first and last position, the bytes of their states."""

    events: int
    first: int
    last: int
    size: int


class ChangedMeanwhile(RuntimeError):
    """Something was recorded about an execution while it was written to a file; nothing was removed."""


def event_pages(connection: Connection[Any], ids: Sequence[UUID]) -> Iterator[list[EventRow]]:
    """Yield the events of streams in the order of their positions, page by page; within the caller's transaction."""
    return _pages(connection, EVENTS, ids)


def result_pages(connection: Connection[Any], ids: Sequence[UUID]) -> Iterator[list[ResultRow]]:
    """Yield the large results of executions, page by page; within the caller's transaction."""
    return _pages(connection, RESULTS, ids)


def extents(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, StreamExtent]:
    """Return the extent of each stream that has events."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        rows = cursor.execute(EXTENTS, (arrays.uuids(list(ids)),)).fetchall()
    return {UUID(bytes=id): StreamExtent(*rest) for id, *rest in rows}


def remove(connection: Connection[Any], roots: Sequence[UUID], ids: Sequence[UUID], *, events: int) -> None:
    """Remove the events of whole execution trees, their large results and their rows in lists.

    Raises ChangedMeanwhile unless the log had exactly `events` of them.
    """
    given = arrays.uuids(list(ids))
    if connection.execute(DELETE_EVENTS, (given,)).rowcount != events:
        raise ChangedMeanwhile("the log has other events of the executions than the file")
    connection.execute(DELETE_RESULTS, (given,))
    connection.execute(DELETE_TREES, (arrays.uuids(list(roots)),))


def require_gone(connection: Connection[Any], ids: Sequence[UUID]) -> None:
    """Raise ChangedMeanwhile if something of the executions is left, while the transaction holds the log's lock."""
    row = connection.execute(LEFT, {"ids": arrays.uuids(list(ids))}).fetchone()
    if row is None or row["is_left"]:
        raise ChangedMeanwhile("something was recorded about an execution while its file was written")


def record_archived(connection: Connection[Any], position: int, executions: Sequence[ArchivedExecution]) -> None:
    """List executions as archived by the event at `position`."""
    connection.execute(
        RECORD,
        (
            position,
            arrays.uuids([each.execution_id for each in executions]),
            arrays.uuids([each.root_id for each in executions]),
            arrays.uuids([each.process_id for each in executions]),
            arrays.texts([each.process for each in executions]),
            arrays.ints([each.version for each in executions]),
            arrays.texts([each.trigger for each in executions]),
            arrays.texts([each.status for each in executions]),
            arrays.bools([each.body for each in executions]),
            arrays.bigints([each.started_position for each in executions]),
            arrays.timestamptzs([each.started_at for each in executions]),
            arrays.timestamptzs([each.ended_at for each in executions]),
        ),
    )
    connection.execute(COUNT, (position,))


def keep_figures(connection: Connection[Any], position: int, figures: Sequence[tuple[str, str, bytes]]) -> None:
    """Keep documents of figures, each with its projection and table, for rebuilds."""
    for projection, table, document in figures:
        connection.execute(KEEP, (position, projection, table, document))


def _pages(connection: Connection[Any], query: str, ids: Sequence[UUID]) -> Iterator[list[Any]]:
    # The server plans for the whole answer: for its beginning alone it would read the log from its start.
    connection.execute("set local cursor_tuple_fraction = 1.0")
    with connection.cursor("leaving", row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        cursor.execute(query, (arrays.uuids(list(ids)),))
        while rows := cursor.fetchmany(PAGE):
            yield rows
