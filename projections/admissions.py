"""Who runs and who waits, as every append keeps it: proven against the log, and put right where it differs."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from projections import kept_lists
from projections.kept_lists import Progress, tuples
from projections.rebuilding import Rebuilt
from projections.verifying import Difference, Verified
from store import arrays
from store.datastore import Datastore

NAME = "admissions"
LEAVES = frozenset(("ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled"))

LISTED = "select execution_id, process_id, running from admissions order by position"
STRIKE = "delete from admissions where execution_id = any(%b)"
INSERT = "insert into admissions (execution_id, process_id, running) select * from unnest(%b, %b, %b)"

Place = tuple[bytes, bool]
"""(process_id, running)"""


class _Queued(msgspec.Struct, gc=False):
    """What counts of ExecutionQueued."""

    process_id: UUID


_decode = msgspec.json.Decoder(_Queued).decode


def rebuild(datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the list right, as kept_lists.rebuild does. Who waits in the wrong order is put in line anew."""
    return kept_lists.rebuild(_Admissions(), datastore, progress)


def verify(datastore: Datastore, progress: Progress) -> Verified:
    """Compare the list, and the order of those who wait, as kept_lists.verify does."""
    return kept_lists.verify(_Admissions(), datastore, progress)


class _Admissions:
    topics = ("ExecutionAdmitted", "ExecutionQueued", "ExecutionRetried", *sorted(LEAVES))

    def __init__(self) -> None:
        self._places: dict[bytes, Place] = {}
        """In the order in which executions came."""
        self._failed: dict[bytes, bytes] = {}
        """Those that may be retried, with their process: they run again without waiting."""

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            if topic == "ExecutionQueued":
                self._places[stream] = _decode(state).process_id.bytes, False
            elif topic == "ExecutionAdmitted":
                self._places[stream] = self._places[stream][0], True
            elif topic in LEAVES:
                left = self._places.pop(stream, None)
                if left is not None and topic == "ExecutionFailed":
                    self._failed[stream] = left[0]
            elif stream in self._failed:
                self._places[stream] = self._failed.pop(stream), True

    def compare(self, connection: Connection[Any]) -> tuple[int, list[Difference]]:
        listed = _listed(connection)
        places = self._places
        wrong = {id for id in places.keys() | listed.keys() if places.get(id) != listed.get(id)}
        differing = [_difference(id, listed.get(id), places.get(id)) for id in sorted(wrong)]
        for id, before, after in self._out_of_line(listed):
            differing.append(_difference(id, listed[id], places[id], before, after))
        return len(places), differing

    def put_right(self, connection: Connection[Any]) -> None:
        listed = _listed(connection)
        wrong = {id for id, place in listed.items() if self._places.get(id) != place}
        missing = {id for id in self._places if id not in listed or id in wrong}
        # A place in line is a number given on joining it: to put one in its place, all of that line join again.
        disturbed = {self._places[id][0] for id in missing if not self._places[id][1]}
        disturbed |= {self._places[id][0] for id, _, _ in self._out_of_line(listed)}
        again = [id for id, (process, running) in self._places.items() if process in disturbed and not running]
        strike = wrong.union(id for id in again if id in listed)
        join = [id for id in self._places if id in missing.union(again)]
        if strike:
            connection.execute(STRIKE, (arrays.uuid_bytes(list(strike)),))
        if join:
            processes = arrays.uuid_bytes([self._places[id][0] for id in join])
            running = arrays.bools([self._places[id][1] for id in join])
            connection.execute(INSERT, (arrays.uuid_bytes(join), processes, running))

    def _out_of_line(self, listed: dict[bytes, Place]) -> list[tuple[bytes, int, int]]:
        """Those who rightly wait, but not in their place: (execution, the place it has, the place it should have)."""
        found: list[tuple[bytes, int, int]] = []
        has, should_have = (_lines(places, self._places, listed) for places in (listed, self._places))
        for process, line in should_have.items():
            place_of = {id: place for place, id in enumerate(has[process], 1)}
            found += [(id, place_of[id], place) for place, id in enumerate(line, 1) if place_of[id] != place]
        return found


def _lines(places: dict[bytes, Place], one: dict[bytes, Place], other: dict[bytes, Place]) -> dict[bytes, list[bytes]]:
    """By process those that wait, in the order of `places`, less those that `one` and the `other` do not agree on."""
    lines: dict[bytes, list[bytes]] = {}
    for id, (process, running) in places.items():
        if not running and one.get(id) == other.get(id):
            lines.setdefault(process, []).append(id)
    return lines


def _listed(connection: Connection[Any]) -> dict[bytes, Place]:
    return {id: (process, running) for id, process, running in tuples(connection, LISTED)}


def _difference(
    id: bytes, listed: Place | None, expected: Place | None, has: int | None = None, should_have: int | None = None
) -> Difference:
    def row(place: Place | None, in_line: int | None) -> dict[str, Any] | None:
        if place is None:
            return None
        shown = {"process_id": str(UUID(bytes=place[0])), "running": place[1]}
        return shown if in_line is None else shown | {"place": in_line}

    return Difference(NAME, {"execution_id": str(UUID(bytes=id))}, row(listed, has), row(expected, should_have))
