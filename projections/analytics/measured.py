"""The measures of the executions that one connection has met last; those of others are read from the log again.

They are a cache of the log alone: the measure of an execution is what its events up to one of them add up to. If an
execution's next event does not follow the last one measured, the cache has missed some, and its measure is read anew.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.agents.calls import Usage
from domain.analytics.measures import ExecutionMeasure
from domain.analytics.measuring import HANDLERS, begun, measure
from domain.money import Money
from store import arrays

KEPT = 20_000  # executions
STARTED = "ExecutionStarted"

# One execution after another by the index, so that the server sorts nothing. Of a large event the server sends the
# fields that a measure reads. Its JSON functions refuse a NUL, wherever it is.
_READ = r"""select x.id, e.originator_version, e.topic,
  case when octet_length(e.state) <= 65536 then e.state else (
    select convert_to(json_build_object('at', s->'at', 'step', s->'step', 'agent', coalesce(s->'agent', '""'),
      'process_id', s->'process_id', 'version', s->'version',
      'trigger', json_build_object('type', coalesce(s->'trigger'->'type', '"manual"')),
      'parent', s->'parent', 'body', coalesce(s->'body', '""'),
      'next_at', s->'next_at', 'wait', coalesce(s->'wait', 'true'), 'cost', s->'cost', 'usage', s->'usage',
      'flags', s->'flags', 'before', s->'before', 'after', s->'after', 'recorded', s->'recorded', 'steps', s->'steps',
      'error', coalesce(s->'error', '{}'))::text, 'UTF8')
    from (select replace(convert_from(e.state, 'UTF8'), '\u0000', '\ufffd')::json as s) as large) end
from unnest(%b, %b) as x(id, before) cross join lateral (
  select originator_version, topic, state from stored_events
  where originator_id = x.id and originator_version < x.before and topic = any(%b) order by originator_version) e"""
# The execution's last event up to a position.
_LAST = """select x.id, (select max(originator_version) from stored_events e
  where e.originator_id = x.id and e.notification_id <= %b) from unnest(%b) as x(id)"""
_TOPICS = [STARTED, *HANDLERS]


class _StoredTrigger(msgspec.Struct, gc=False):
    type: str = "manual"


class _StoredParent(msgspec.Struct, gc=False):
    root: UUID


class _StoredEvent(msgspec.Struct, gc=False):
    """The fields that measures read, of any event."""

    at: datetime
    step: str | None = None
    agent: str = ""
    process_id: UUID | None = None
    version: int | None = None
    trigger: _StoredTrigger | None = None
    parent: _StoredParent | None = None
    wait: bool = True
    body: str = ""
    next_at: datetime | None = None
    cost: Money | None = None
    usage: Usage | None = None
    flags: list[str] | None = None
    before: Money | None = None
    after: Money | None = None
    recorded: int | None = None
    steps: list[str] | int | None = None
    error: msgspec.Raw = msgspec.Raw(b"{}")


decode_stored = msgspec.json.Decoder(_StoredEvent).decode


class Measures:
    """Measures by execution, those met last at the end; at most KEPT after a page."""

    def __init__(self) -> None:
        self._kept: dict[bytes, ExecutionMeasure] = {}

    def before(self, connection: Connection[Any], versions: Mapping[bytes, int]) -> dict[bytes, ExecutionMeasure]:
        """Return the measure of each execution before its event number `versions`; at most one query.

        Executions that begin with that event have none.
        """
        found, missing = dict[bytes, ExecutionMeasure](), dict[bytes, int]()
        for stream, version in versions.items():
            kept = self._kept.pop(stream, None)
            if kept is not None and kept.version == version - 1:
                found[stream] = kept
            elif version > 1:
                missing[stream] = version
        if missing:
            found |= _read(connection, missing)
        return found

    def at(self, connection: Connection[Any], streams: set[bytes], position: int) -> dict[bytes, ExecutionMeasure]:
        """Return the measure of each execution at a position of the log; at most two queries."""
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
            ids = arrays.uuid_bytes([*streams])
            last: dict[bytes, int | None] = dict(cursor.execute(_LAST, (position, ids), prepare=True).fetchall())
        kept = {stream: self._kept[stream].version for stream in streams if stream in self._kept}
        versions = {stream: last.get(stream) or kept.get(stream) for stream in streams}
        return self.before(connection, {stream: version + 1 for stream, version in versions.items() if version})

    def keep(self, measures: Mapping[bytes, ExecutionMeasure]) -> None:
        """Keep measures, and forget the oldest."""
        self._kept |= measures
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def forget(self) -> None:
        """Forget all of them."""
        self._kept.clear()


def _read(connection: Connection[Any], before: Mapping[bytes, int]) -> dict[bytes, ExecutionMeasure]:
    """Return what the events of each execution before a version add up to, of those that the log begins."""
    found: dict[bytes, ExecutionMeasure] = {}
    ids, versions = arrays.uuid_bytes([*before]), arrays.ints([*before.values()])
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        for stream, version, topic, state in cursor.stream(_READ, (ids, versions, arrays.texts(_TOPICS)), binary=True):
            event: Any = decode_stored(state)
            if topic == STARTED:
                found[stream] = begun(event)
            elif stream in found:
                measure(found[stream], topic, version, event)
    for stream, known in found.items():
        known.version = before[stream] - 1  # the last events may be of no figure
    return found


_MEASURES: WeakKeyDictionary[Connection[Any], Measures] = WeakKeyDictionary()


def measures_of(connection: Connection[Any]) -> Measures:
    """Return the measures of the executions that `connection` has met."""
    measures = _MEASURES.get(connection)
    if measures is None:
        measures = _MEASURES[connection] = Measures()
    return measures
