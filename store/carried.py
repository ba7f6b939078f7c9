"""Streams that carry their state on from time to time: what a reader needs of them is the last part only."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from domain.event import Event
from store import arrays
from store.mapper import StreamEvents, decode

# A partial index has the events that carry a state.
_CARRIED = """
select e.originator_id, e.originator_version, e.topic, e.state
from unnest(%b) as s(id) cross join lateral (
  select originator_id, originator_version, topic, state from stored_events
  where originator_id = s.id and originator_version >= coalesce((
    select max(c.originator_version) from stored_events c
    where c.originator_id = s.id and c.topic = 'ScheduleCarried'), 1)) as e
order by e.originator_id, e.originator_version"""


def read_carried(connection: Connection[Any], streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
    """Return the events of streams from the last one that carries the state; leave out streams without events."""
    found: dict[UUID, StreamEvents] = {}
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(_CARRIED, (arrays.uuids(list(streams)),), prepare=True).fetchall()
    for stream, version, topic, state in rows:
        events = found.get(stream)
        if events is None:
            events = found[stream] = StreamEvents()
            events.before = version - 1
        events.append(decode(topic, state))
        events.size += len(state)
    return {**found}


def version_of(events: list[Event]) -> int:
    """Return the version of the stream after its `events`, which may be the last part of it."""
    return (events.before if isinstance(events, StreamEvents) else 0) + len(events)
