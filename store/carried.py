"""Streams that carry their state on from time to time: what a reader needs of them is the last part only."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
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

# Of the states that a stream carries, the first at a version or after it.
_FROM = """
select originator_version, state from stored_events
where originator_id = %b and topic = 'ScheduleCarried' and originator_version >= %b
order by originator_version limit 1"""
_LAST = "select coalesce(max(originator_version), 0) from stored_events where originator_id = %b"
_BEFORE = """
select originator_version, topic, state from stored_events
where originator_id = %b and originator_version < %b order by originator_version desc limit %b"""


class _State(msgspec.Struct):
    cursor: datetime


class _Carried(msgspec.Struct):
    state: _State


_decode = msgspec.json.Decoder(_Carried).decode


def last_carried(connection: Connection[Any], stream: UUID, instant: datetime) -> int:
    """Return the version of the last state that the stream carries with a cursor before `instant`; 0 for none.

    Cursors only grow, so it takes a number of steps that grows with the logarithm of the stream's length.
    """
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        ((last,),) = cursor.execute(_LAST, (stream,), prepare=True).fetchall()
        found, beyond = 0, last + 1
        while beyond - found > 1:
            middle = (found + beyond) // 2
            row = cursor.execute(_FROM, (stream, middle), prepare=True).fetchone()
            if row is None or _decode(row[1]).state.cursor >= instant:
                beyond = middle
            else:
                found = row[0]
    return found


def page_before(connection: Connection[Any], stream: UUID, version: int, limit: int) -> list[tuple[int, Event]]:
    """Return up to `limit` events before a version, each with its own, the latest first."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(_BEFORE, (stream, version, limit), prepare=True).fetchall()
    return [(version, decode(topic, state)) for version, topic, state in rows]


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
