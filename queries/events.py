"""Events as they stand in the log: one execution's stream, and the whole log."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.event import Event
from queries.exchange import Question
from queries.paging import DEFAULT_LIMIT, Page, page_of, read_position, write_cursor
from queries.progress import LOG
from queries.reading import Freshness, Reading
from store.archive.executions import absent
from store.mapper import Recorded, recorded
from store.sizes import FULL_ANSWER, is_full

# The number of events that one request may search if it filters by type.
WINDOW = 5_000

_COLUMNS = "notification_id, originator_id, originator_version, topic, state"
# Of the rows up to the one that makes the page full, the server sends the states; it reads no others.
_BEFORE = "sum(octet_length(state)) over (order by {0} rows unbounded preceding) - octet_length(state) as before"
_STREAM = f"""select {_COLUMNS} from (
  select {_COLUMNS}, {_BEFORE.format("originator_version")}
  from stored_events where originator_id = %s and originator_version > %s and exists (
    select from stored_events where originator_id = %s and originator_version = 1 and topic = 'ExecutionStarted')
  order by originator_version limit %s) page
where before < {FULL_ANSWER} order by originator_version"""
# An execution, whole, and of those below it the events of some types. SubProcessStarted states the child's id before
# anything that a person wrote; quotation marks in a string are escaped.
_TREE = f"""
with recursive tree(id) as (
  select %(id)s::uuid
  union
  select substring(convert_from(e.state, 'UTF8') from '"child":"([0-9a-f-]{{36}})"')::uuid
  from tree join stored_events e on e.originator_id = tree.id and e.topic in ('SubProcessStarted', 'ItemStarted'))
select {_COLUMNS} from tree join stored_events on originator_id = tree.id
where tree.id = %(id)s or topic = any(%(types)s) order by originator_id, originator_version"""
_FIRST = f"select {_COLUMNS} from stored_events where originator_id = any(%(ids)s) and originator_version = 1"
_LOG = f"""select {_COLUMNS} from (
  select {_COLUMNS}, {_BEFORE.format("notification_id")}
  from stored_events where notification_id > %s order by notification_id limit %s) page
where before < {FULL_ANSWER} order by notification_id"""
_LOG_OF_TYPES = f"""select {_COLUMNS} from (
  select {_COLUMNS}, {_BEFORE.format("notification_id")} from (
    select * from stored_events where notification_id > %s order by notification_id limit {WINDOW}) seen
  where topic = any(%s) order by notification_id limit %s) page
where before < {FULL_ANSWER} order by notification_id"""
_WINDOW_END = f"""select max(notification_id), count(*) from (
  select notification_id from stored_events where notification_id > %s order by notification_id limit {WINDOW}) seen"""
_LAST_VERSION = "select coalesce(max(originator_version), 0) as version from stored_events where originator_id = %s"
_COMMON = frozenset(Event.__struct_fields__)

Point = int | datetime
"""A position in the log, or an aware instant; events at the point are included."""


class EventView(msgspec.Struct, frozen=True):
    """An event in its place. data: its fields beside time, actor, causation and correlation."""

    position: int
    stream: UUID
    version: int
    type: str
    at: datetime
    actor: str
    causation: str
    correlation: str
    data: dict[str, Any]


def list_execution_events(
    reading: Reading,
    execution_id: UUID,
    *,
    after: int = 0,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[EventView]:
    """Return the events of an execution beyond version `after`, in order. Raises NotFound, BadCursor or NotYet.

    A page of large events ends before `limit`.
    """
    beyond = read_position("v", cursor, after)
    with reading.log(min_position) as (connection, freshness):
        rows = _read(connection, _STREAM, (execution_id, beyond, execution_id, limit + 1))
        if not rows and not _read(connection, _STREAM, (execution_id, 0, execution_id, 1)):
            raise absent(connection, execution_id)
    return _page(rows, limit, freshness, lambda row: write_cursor("v", row.version))


def events_of_stream(execution_id: UUID, after: int, limit: int) -> Question[Page[EventView]]:
    """Return the question for the same page, of an execution that is there."""

    def view(rows: list[DictRow], freshness: Freshness) -> Page[EventView]:
        found = [tuple(row.values()) for row in rows]
        return _page(found, limit, freshness, lambda row: write_cursor("v", row.version))

    return Question(LOG, _STREAM, (execution_id, after, execution_id, limit + 1), view, binary=True)


def get_last_version(reading: Reading, execution_id: UUID) -> int:
    """Return the version of the newest event of an execution; 0 without one."""
    with reading.log() as (connection, _):
        row = connection.execute(_LAST_VERSION, (execution_id,), prepare=True).fetchone()
    return int(row["version"]) if row is not None else 0


def list_events(
    reading: Reading,
    *,
    types: list[str],
    after: int = 0,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[EventView]:
    """Return the log beyond position `after`, in order; with `types`, a short or empty page need not be the last.

    Raises BadCursor or NotYet.
    """
    beyond = read_position("l", cursor, after, reading)
    with reading.log(min_position) as (connection, freshness):
        if not types:
            rows = _read(connection, _LOG, (beyond, limit + 1))
            return _page(rows, limit, freshness, lambda row: write_cursor("l", row.position, freshness.epoch))
        with connection.cursor(row_factory=tuple_row) as cursor_of_window:
            row = cursor_of_window.execute(_WINDOW_END, (beyond,), prepare=True).fetchone()
        end, looked_through = row or (None, 0)
        rows = _read(connection, _LOG_OF_TYPES, (beyond, types, limit + 1))
    page = _page(rows, limit, freshness, lambda row: write_cursor("l", row.position, freshness.epoch))
    if page.next_cursor is None and looked_through == WINDOW:
        return msgspec.structs.replace(page, next_cursor=write_cursor("l", end, freshness.epoch))
    return page


def stated(event: Event) -> dict[str, Any]:
    """Return the fields of an event beside time, actor, causation and correlation."""
    return {name: getattr(event, name) for name in event.__struct_fields__ if name not in _COMMON}


def read_tree(connection: Connection[Any], id: UUID, types: list[str]) -> list[TupleRow]:
    """Return the events of an execution, and those of `types` of its descendants, as projections.facts reads them."""
    return _read_rows(connection, _TREE, {"id": id, "types": types})


def read_starts(connection: Connection[Any], ids: list[UUID]) -> list[TupleRow]:
    """Return the first event of each of several streams, as projections.facts reads them."""
    return _read_rows(connection, _FIRST, {"ids": ids})


def _read_rows(connection: Connection[Any], query: str, parameters: dict[str, Any]) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        return cursor.execute(query, parameters, prepare=True).fetchall()


def _read(connection: Connection[Any], query: str, parameters: tuple[Any, ...]) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()


def _page(
    rows: list[TupleRow], limit: int, freshness: Freshness, cursor: Callable[[EventView], str]
) -> Page[EventView]:
    """Return the page of `rows`, which may end early because they make it full in bytes."""
    return page_of([_view(each) for each in recorded(rows)], limit, freshness, cursor, full=is_full(rows, FULL_ANSWER))


def _view(found: Recorded) -> EventView:
    event = found.event
    return EventView(
        found.position,
        found.stream,
        found.version,
        found.topic,
        event.at,
        event.actor,
        event.causation,
        event.correlation,
        stated(event),
    )
