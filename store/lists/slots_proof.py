"""The proof of concurrency slots: which executions run and wait by the log, in which line and in which order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import STORED_NAMES
from domain.executions.events.outcomes import ENDS_EXECUTION
from domain.executions.state.model import rank_of
from store import arrays
from store.lists.kept import FoldingProof, ListDifference, tuples

LEAVES = frozenset(STORED_NAMES[kind] for kind in ENDS_EXECUTION)

LISTED = "select execution_id, process_id, key, called, running from admissions order by rank, position"
STRIKE = "delete from admissions where execution_id = any(%b)"
INSERT = """insert into admissions (execution_id, process_id, key, called, running, rank)
select * from unnest(%b, %b, %b, %b, %b, %b)"""
COUNTED = """select process_id, key, count(*) filter (where running) as running,
  count(*) filter (where not running) as waiting, count(*) filter (where called and not running) as called
from admissions group by process_id, key"""
MISCOUNTED = f"""
select coalesce(l.process_id, c.process_id), coalesce(l.key, c.key), l.running, l.waiting, l.called,
  c.running::int, c.waiting::int, c.called::int
from slot_lines l full join ({COUNTED}) c on c.process_id = l.process_id and c.key = l.key
where (l.running, l.waiting, l.called) is distinct from (c.running, c.waiting, c.called) order by 1, 2"""
EMPTY_LINES = "delete from slot_lines"
FILL_LINES = f"insert into slot_lines (process_id, key, running, waiting, called) {COUNTED}"


class Placed(NamedTuple):
    """The row of an execution, without its rank."""

    process_id: bytes
    key: str
    called: bool
    running: bool


_Line = tuple[bytes, str]


class _Queued(msgspec.Struct, gc=False):
    """The fields of ExecutionQueued that the fold reads."""

    process_id: UUID
    at: datetime
    takes_slot: bool = True
    slot_key: str = ""
    priority: int = 0
    called: bool = False


_decode = msgspec.json.Decoder(_Queued).decode


class SlotsProof(FoldingProof):
    """Which executions run and which wait, in their order; an execution in the wrong place queues anew."""

    topics = ("ExecutionAdmitted", "ExecutionQueued", "ExecutionRetried", *sorted(LEAVES))

    def __init__(self) -> None:
        self._places: dict[bytes, Placed] = {}
        """In the order in which executions came."""
        self._ranks: dict[bytes, datetime] = {}
        self._failed: dict[bytes, Placed] = {}
        """Executions that may be retried: they run again without waiting."""
        self._held: set[bytes] = set()
        """Executions that wait only until their process is resumed: they leave the line when they begin."""

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            if topic == "ExecutionQueued":
                queued = _decode(state)
                self._places[stream] = Placed(queued.process_id.bytes, queued.slot_key, queued.called, False)
                self._ranks[stream] = rank_of(queued.at, queued.priority)
                if not queued.takes_slot:
                    self._held.add(stream)
            elif topic == "ExecutionAdmitted" and stream not in self._held:
                self._places[stream] = self._places[stream]._replace(running=True)
            elif topic == "ExecutionAdmitted" or topic in LEAVES:
                left, held = self._places.pop(stream, None), stream in self._held
                self._held.discard(stream)
                if left is not None and not held and topic == "ExecutionFailed":
                    self._failed[stream] = left._replace(running=True)
                else:
                    self._ranks.pop(stream, None)
            elif stream in self._failed:
                self._places[stream] = self._failed.pop(stream)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        listed = _listed(connection)
        places = self._places
        wrong = {id for id in places.keys() | listed.keys() if places.get(id) != listed.get(id)}
        differing = [_difference(id, listed.get(id), places.get(id)) for id in sorted(wrong)]
        for id, before, after in self._out_of_line(listed):
            differing.append(_difference(id, listed[id], places[id], before, after))
        return len(places), differing + _miscounted(connection)

    def put_right(self, connection: Connection[Any]) -> None:
        listed = _listed(connection)
        wrong = {id for id, place in listed.items() if self._places.get(id) != place}
        missing = {id for id in self._places if id not in listed or id in wrong}
        # An execution gets its place when it joins the line: to correct one place, all of that line join again.
        disturbed = {_line(self._places[id]) for id in missing if not self._places[id].running}
        disturbed |= {_line(self._places[id]) for id, _, _ in self._out_of_line(listed)}
        again = [id for id, place in self._places.items() if _line(place) in disturbed and not place.running]
        strike = wrong.union(id for id in again if id in listed)
        join = [id for id in self._places if id in missing.union(again)]
        if strike:
            connection.execute(STRIKE, (arrays.uuid_bytes(list(strike)),))
        if join:
            places = [self._places[id] for id in join]
            joining = (
                arrays.uuid_bytes(join),
                arrays.uuid_bytes([place.process_id for place in places]),
                arrays.texts([place.key for place in places]),
                arrays.bools([place.called for place in places]),
                arrays.bools([place.running for place in places]),
                arrays.timestamptzs([self._ranks[id] for id in join]),
            )
            connection.execute(INSERT, joining)
        if _miscounted(connection):
            connection.execute(EMPTY_LINES)
            connection.execute(FILL_LINES)

    def _out_of_line(self, listed: dict[bytes, Placed]) -> list[tuple[bytes, int, int]]:
        """Return the executions that wait in a wrong place: (execution, place in the list, place by the log)."""
        found: list[tuple[bytes, int, int]] = []
        ranks = self._ranks
        ordered = {id: self._places[id] for id in sorted(self._places, key=lambda id: ranks[id])}
        has, should_have = (_lines(places, self._places, listed) for places in (listed, ordered))
        for line, ids in should_have.items():
            place_of = {id: place for place, id in enumerate(has[line], 1)}
            found += [(id, place_of[id], place) for place, id in enumerate(ids, 1) if place_of[id] != place]
        return found


def _line(place: Placed) -> _Line:
    return place.process_id, place.key


def _lines(
    places: dict[bytes, Placed], one: dict[bytes, Placed], other: dict[bytes, Placed]
) -> dict[_Line, list[bytes]]:
    """Return by line the waiting executions, in the order of `places`, that `one` and `other` agree on."""
    lines: dict[_Line, list[bytes]] = {}
    for id, place in places.items():
        if not place.running and one.get(id) == other.get(id):
            lines.setdefault(_line(place), []).append(id)
    return lines


def _listed(connection: Connection[Any]) -> dict[bytes, Placed]:
    return {id: Placed(*rest) for id, *rest in tuples(connection, LISTED)}


def _miscounted(connection: Connection[Any]) -> list[ListDifference]:
    """Return the lines whose counts differ from their executions."""
    found = []
    for process_id, key, *counts in tuples(connection, MISCOUNTED):
        live, counted = (
            None if values[0] is None else dict(zip(("running", "waiting", "called"), values, strict=True))
            for values in (counts[:3], counts[3:])
        )
        line = {"process_id": str(UUID(bytes=process_id)), "key": key}
        found.append(ListDifference("slot_lines", line, live, counted))
    return found


def _difference(
    id: bytes, listed: Placed | None, expected: Placed | None, has: int | None = None, should_have: int | None = None
) -> ListDifference:
    def row(place: Placed | None, in_line: int | None) -> dict[str, Any] | None:
        if place is None:
            return None
        shown = place._asdict() | {"process_id": str(UUID(bytes=place.process_id))}
        return shown if in_line is None else shown | {"place": in_line}

    return ListDifference(
        "admissions", {"execution_id": str(UUID(bytes=id))}, row(listed, has), row(expected, should_have)
    )
