"""Reads of the log: whole streams, pages of one, pages of all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.event import Event
from store.datastore import Datastore, OwnConnection
from store.mapper import Recorded, StreamEvents, decode, recorded
from store.sizes import page_query

STREAMS = """select originator_id, topic, state from stored_events where originator_id = any(%s)
order by originator_id, originator_version"""
STREAMS_FROM = """select e.originator_id, e.topic, e.state from unnest(%s::uuid[], %s::bigint[]) as x(id, version)
cross join lateral (select originator_id, originator_version, topic, state from stored_events
  where originator_id = x.id and originator_version >= x.version) e order by e.originator_id, e.originator_version"""
ONE_STREAM = "select topic, state from stored_events where originator_id = %s order by originator_version"
EXISTING = """select x.id from unnest(%s::uuid[]) as x(id)
where exists (select from stored_events e where e.originator_id = x.id)"""
STREAM_PAGE = """select notification_id, originator_id, originator_version, topic, state from stored_events
where originator_id = %s and originator_version > %s order by originator_version limit %s"""
NEWEST_OF_STREAM = """select notification_id, originator_id, originator_version, topic, state from stored_events
where originator_id = %s order by originator_version desc limit 1"""
PAGE = f"{page_query('notification_id > %(after)s')} limit %(limit)s"


class LogReading:
    """The events of one log, read on the pool of its datastore; thread-safe."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore

    def stream(self, stream: UUID) -> StreamEvents:
        """Return every event of one stream, oldest first; none when there is no such stream."""
        with self.datastore.reading() as connection:
            rows = _tuples(connection, ONE_STREAM, (stream,))
        events = StreamEvents([decode(topic, state) for topic, state in rows])
        events.size = sum(len(state) for _, state in rows)
        return events

    def streams(self, streams: Iterable[UUID], reading: OwnConnection | None = None) -> dict[UUID, list[Event]]:
        """Return every event of many streams, by one query; leave out streams without events.

        reading: a connection of the caller's, which is quicker than one of the pool.
        """
        found: dict[UUID, StreamEvents] = {}
        with self.datastore.reading() if reading is None else reading.borrow() as connection:
            rows = _tuples(connection, STREAMS, (list(streams),))
        for stream, topic, state in rows:
            events = found.get(stream)
            if events is None:
                events = found[stream] = StreamEvents()
            events.append(decode(topic, state))
            events.size += len(state)
        return {**found}

    def streams_from(self, versions: Mapping[UUID, int]) -> dict[UUID, list[Event]]:
        """Return the events of many streams from a version of each on, by one query; leave out streams without any."""
        found: dict[UUID, list[Event]] = {}
        with self.datastore.reading() as connection:
            rows = _tuples(connection, STREAMS_FROM, (list(versions), list(versions.values())))
        for stream, topic, state in rows:
            found.setdefault(stream, []).append(decode(topic, state))
        return found

    def existing(self, streams: Iterable[UUID]) -> set[UUID]:
        """Return those of the streams that have events."""
        with self.datastore.reading() as connection:
            return {id for (id,) in _tuples(connection, EXISTING, (list(streams),))}

    def stream_page(self, stream: UUID, *, after: int = 0, limit: int = 200) -> list[Recorded]:
        """Return events of one stream, with their places, whose versions are greater than `after`."""
        with self.datastore.reading() as connection:
            return recorded(_tuples(connection, STREAM_PAGE, (stream, after, limit)))

    def newest(self, stream: UUID) -> Recorded | None:
        """Return the newest event of one stream with its place; None when there is no such stream."""
        with self.datastore.reading() as connection:
            found = recorded(_tuples(connection, NEWEST_OF_STREAM, (stream,)))
        return found[0] if found else None

    def page(self, after: int, limit: int) -> list[Recorded]:
        """Return a page of the log after position `after`, decoded."""
        with self.datastore.reading() as connection:
            return recorded(read_page(connection, after, limit))

    def actor_at(self, position: int) -> str:
        """Return the actor of the event at `position`; empty without such an event."""
        found = self.page(position - 1, 1)
        return found[0].event.actor if found and found[0].position == position else ""


def read_page(connection: Connection[Any], after: int, limit: int) -> list[TupleRow]:
    """Return rows (position, stream, version, topic, state) of the log after position `after`, in order.

    They are fewer than `limit` at the end of the log, or when they make a page full.
    """
    return _tuples(connection, PAGE, {"after": after, "limit": limit})


def _tuples(connection: Connection[Any], query: str, parameters: Sequence[Any] | dict[str, Any]) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()
