"""The origin of each execution: what its first event states, and the labels of the version that it runs.

Each connection that reads facts keeps the origins it has read. The first event of a stream and a published version
never change, so an origin does not depend on where a page of the log begins or ends.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from projections.shapes import SHAPES
from store import arrays

KEPT = 20_000  # executions, and as many published versions
STARTED = "ExecutionStarted"

# Of a large event the server sends no more than the shape needs: a page may concern thousands of executions.
# Its JSON functions refuse a NUL, wherever it is.
FIRST = r"""select originator_id, case when octet_length(state) <= 65536 then state else convert_to(jsonb_set(
  replace(convert_from(state, 'UTF8'), '\u0000', '\ufffd')::jsonb #- '{trigger,payload}', '{input}', '{}')::text,
  'UTF8') end
from stored_events where originator_id = any(%b) and originator_version = 1 and topic = 'ExecutionStarted'"""
# Versions are published as 1, 2, 3…
PUBLISHED = """select x.process_id, x.version, p.state
from unnest(%b, %b) as x(process_id, version) cross join lateral (
  select case when octet_length(state) <= 65536 then state else convert_to(json_build_object('definition',
    json_build_object('labels', coalesce(convert_from(state, 'UTF8')::json->'definition'->'labels', '[]')))::text,
    'UTF8') end as state
  from stored_events where originator_id = x.process_id and topic = 'ProcessPublished'
  order by originator_version offset x.version - 1 limit 1) p"""

_Version = tuple[bytes, int]


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where an execution comes from. process_id, root: the 16 bytes of the ids; a root is its own root.

    trigger: its type. parent: the execution that started it. labels: those of the process in the version that runs.
    path: the executions above it, from the root to the parent. body: the steps that run, by their path, where it is no
    process.
    """

    process_id: bytes
    process: str
    version: int
    root: bytes
    trigger: str
    parent: bytes | None
    labels: tuple[str, ...] = ()
    path: tuple[bytes, ...] = ()
    body: str = ""

    def place(self, step: str) -> str:
        """Return the id of a step as figures of the process name it: with the steps that hold it, joined by ``/``."""
        return f"{self.body}/{step}" if self.body else step


class _Definition(msgspec.Struct, gc=False):
    labels: list[str] = []


class _Published(msgspec.Struct, gc=False):
    definition: _Definition


_started = msgspec.json.Decoder(SHAPES[STARTED]).decode
_published = msgspec.json.Decoder(_Published).decode


class OriginsOfPage:
    """The origins of the executions on one page of the log; read when a handler first needs one.

    rows: the page, as (position, stream, version, topic, state).
    """

    __slots__ = ("_above", "_connection", "_found", "_rows")

    def __init__(self, connection: Connection[Any] | None, rows: Sequence[tuple[Any, ...]] = ()) -> None:
        self._connection, self._rows = connection, rows
        self._found: dict[bytes, Origin] | None = None
        self._above: dict[bytes, Origin] | None = None

    def line(self, stream: bytes) -> list[tuple[bytes, Origin]]:
        """Return an execution on the page and those above it with their origins, the root first. Raises LookupError."""
        own = self.origin(stream)
        if not own.path:
            return [(stream, own)]
        if self._above is None:
            assert self._found is not None
            assert self._connection is not None
            above = {id for origin in self._found.values() for id in origin.path}
            origins = origins_of(self._connection)
            with origins.lock:
                self._above = origins.read(self._connection, above)
        return [*((id, self._above[id]) for id in own.path), (stream, own)]

    def origin(self, stream: bytes) -> Origin:
        """Return the origin of an execution on the page. Raises LookupError if the stream is no execution's."""
        found = self._found
        return (self.all() if found is None else found)[stream]

    def has(self, stream: bytes) -> bool:
        """Return whether the log has the start of an execution on the page."""
        return stream in self.all()

    def all(self) -> Mapping[bytes, Origin]:
        """Return the origins of the executions on the page of which the log has the start."""
        if self._found is None:
            if self._connection is None:
                raise LookupError("these facts were read without their origins")
            origins = origins_of(self._connection)
            with origins.lock:
                for _, started, _, topic, state in self._rows:
                    if topic == STARTED:
                        origins.keep(started, _started(state))
                self._found = origins.read(self._connection, {row[1] for row in self._rows})
                origins.shrink()
        return self._found


NOWHERE = OriginsOfPage(None)


class Origins:
    """The origins of the executions that one connection has met last.

    lock: to hold meanwhile; a build writes a page in one thread and folds the next in another.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._met: dict[bytes, Origin] = {}  # without labels yet
        self._kept: dict[bytes, Origin] = {}
        self._labels: dict[_Version, tuple[str, ...]] = {}

    def keep(self, stream: bytes, started: Any) -> None:
        """Keep the origin that `started`, the first event of an execution, states."""
        if stream not in self._kept:
            self._met[stream] = _origin(stream, started)

    def read(self, connection: Connection[Any], streams: set[bytes]) -> dict[bytes, Origin]:
        """Return the origins of those of `streams` that are executions; at most two queries."""
        # A difference of a set and the keys of a dictionary goes through all keys, of which there are thousands.
        missing = {stream for stream in streams if stream not in self._kept and stream not in self._met}
        if missing:
            for stream, state in _fetch(connection, FIRST, arrays.uuid_bytes([*missing])):
                self.keep(stream, _started(state))
        met = {stream: self._met.pop(stream) for stream in streams & self._met.keys()}
        self._read_labels(connection, {(origin.process_id, origin.version) for origin in met.values()})
        for stream, origin in met.items():
            labels = self._labels.get((origin.process_id, origin.version))
            self._kept[stream] = msgspec.structs.replace(origin, labels=labels) if labels else origin
        return {stream: self._kept[stream] for stream in streams & self._kept.keys()}

    def shrink(self) -> None:
        """Forget the oldest, so that at most KEPT of each are left."""
        oldest_first: tuple[dict[Any, Any], ...] = (self._met, self._kept, self._labels)
        for kept in oldest_first:
            while len(kept) > KEPT:
                del kept[next(iter(kept))]

    def _read_labels(self, connection: Connection[Any], versions: set[_Version]) -> None:
        unread = [version for version in versions if version not in self._labels]
        if unread:
            ids, numbers = arrays.uuid_bytes([id for id, _ in unread]), arrays.ints([number for _, number in unread])
            for id, number, state in _fetch(connection, PUBLISHED, ids, numbers):
                self._labels[id, number] = tuple(_published(state).definition.labels)


def _origin(stream: bytes, started: Any) -> Origin:
    parent = started.parent
    return Origin(
        started.process_id.bytes,
        started.process,
        started.version,
        stream if parent is None else parent.root.bytes,
        started.trigger.type,
        None if parent is None else parent.execution_id.bytes,
        path=() if parent is None else tuple(each.bytes for each in parent.path),
        body=started.body,
    )


def _fetch(connection: Connection[Any], query: str, *parameters: arrays.Array) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        return cursor.execute(query, parameters, prepare=True).fetchall()


_ORIGINS: WeakKeyDictionary[Connection[Any], Origins] = WeakKeyDictionary()


def origins_of(connection: Connection[Any]) -> Origins:
    """Return the origins of the executions that `connection` has met."""
    origins = _ORIGINS.get(connection)
    if origins is None:
        origins = _ORIGINS[connection] = Origins()
    return origins
