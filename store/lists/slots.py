"""Concurrency slots: of processes that limit how many run at once or are paused, which executions wait, in order.

Of those with a limit, the list also holds which run.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.catalogue import STORED_NAMES
from domain.executions.events.outcomes import ENDS_EXECUTION
from domain.executions.state.slot import Slot
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.unit import StreamChange

# Walks from process to process over the index, and reads of each one's queue no more than its beginning.
WAITING = """
with recursive waiting(process_id) as (
  (select process_id from admissions where not running order by process_id limit 1)
  union all
  select (select a.process_id from admissions a where not a.running and a.process_id > w.process_id
          order by a.process_id limit 1)
  from waiting w where w.process_id is not null)
select w.process_id,
  (select count(*) from admissions a where a.process_id = w.process_id and a.running),
  array(select a.execution_id from admissions a where a.process_id = w.process_id and not a.running
        and not exists (select from set_aside s where s.execution_id = a.execution_id and s.next_try > now())
        order by a.position limit %s),
  (select coalesce(max(e.originator_version), 0) from stored_events e where e.originator_id = w.process_id)
from waiting w where w.process_id is not null"""


class Queue(msgspec.Struct, frozen=True):
    """A process for which executions wait: how many run, and the first of those that wait, in their order.

    revision: the version of the process's stream.
    """

    process_id: UUID
    running: int
    waiting: list[UUID]
    revision: int = 0


def queues(connection: Connection[Any], limit: int) -> list[Queue]:
    """Return every process that has waiting executions, with up to `limit` of these, other than those set aside.

    Costs one step a process, one row of an index for each execution that runs of it, and `limit` rows.
    """
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(WAITING, (limit,), prepare=True).fetchall()
    return [Queue(*row) for row in rows]


class SlotMoves(Moves):
    """The executions that one append lets wait, lets run, or takes off the list."""

    function = "move_slots_v1"

    def __init__(self) -> None:
        self._slots: dict[UUID, Slot] = {}

    def add_change(self, change: StreamChange) -> None:
        """Collect the slot of `change`: whether an execution needs one follows from its plan."""
        if change.slot is not None:
            self._slots[change.stream] = change.slot

    def arguments(self) -> Arguments:
        """Return which executions leave, and which wait or run."""
        if not self._slots:
            return ()
        placed = {execution: slot for execution, slot in self._slots.items() if slot.state != "left"}
        return (
            arrays.uuids([execution for execution in self._slots if execution not in placed]),
            arrays.uuids(list(placed)),
            arrays.uuids([slot.process_id for slot in placed.values()]),
            arrays.bools([slot.state == "running" for slot in placed.values()]),
        )


LEAVES = frozenset(STORED_NAMES[kind] for kind in ENDS_EXECUTION)

LISTED = "select execution_id, process_id, running from admissions order by position"
STRIKE = "delete from admissions where execution_id = any(%b)"
INSERT = "insert into admissions (execution_id, process_id, running) select * from unnest(%b, %b, %b)"

Placed = tuple[bytes, bool]
"""(process_id, running)"""


class _Queued(msgspec.Struct, gc=False):
    """The fields of ExecutionQueued that the fold reads."""

    process_id: UUID
    takes_slot: bool = True


_decode = msgspec.json.Decoder(_Queued).decode


class SlotsProof(FoldingProof):
    """Which executions run and which wait, in the order they came; an execution in the wrong place queues anew."""

    topics = ("ExecutionAdmitted", "ExecutionQueued", "ExecutionRetried", *sorted(LEAVES))

    def __init__(self) -> None:
        self._places: dict[bytes, Placed] = {}
        """In the order in which executions came."""
        self._failed: dict[bytes, bytes] = {}
        """Executions that may be retried, with their process: they run again without waiting."""
        self._held: set[bytes] = set()
        """Executions that wait only until their process is resumed: they leave the line when they begin."""

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            if topic == "ExecutionQueued":
                queued = _decode(state)
                self._places[stream] = queued.process_id.bytes, False
                if not queued.takes_slot:
                    self._held.add(stream)
            elif topic == "ExecutionAdmitted" and stream not in self._held:
                self._places[stream] = self._places[stream][0], True
            elif topic == "ExecutionAdmitted" or topic in LEAVES:
                left, held = self._places.pop(stream, None), stream in self._held
                self._held.discard(stream)
                if left is not None and not held and topic == "ExecutionFailed":
                    self._failed[stream] = left[0]
            elif stream in self._failed:
                self._places[stream] = self._failed.pop(stream), True

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
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
        # An execution gets its place when it joins the line: to correct one place, all of that line join again.
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

    def _out_of_line(self, listed: dict[bytes, Placed]) -> list[tuple[bytes, int, int]]:
        """Return the executions that wait in a wrong place: (execution, place in the list, place by the log)."""
        found: list[tuple[bytes, int, int]] = []
        has, should_have = (_lines(places, self._places, listed) for places in (listed, self._places))
        for process, line in should_have.items():
            place_of = {id: place for place, id in enumerate(has[process], 1)}
            found += [(id, place_of[id], place) for place, id in enumerate(line, 1) if place_of[id] != place]
        return found


def _lines(
    places: dict[bytes, Placed], one: dict[bytes, Placed], other: dict[bytes, Placed]
) -> dict[bytes, list[bytes]]:
    """Return by process the waiting executions, in the order of `places`, that `one` and `other` agree on."""
    lines: dict[bytes, list[bytes]] = {}
    for id, (process, running) in places.items():
        if not running and one.get(id) == other.get(id):
            lines.setdefault(process, []).append(id)
    return lines


def _listed(connection: Connection[Any]) -> dict[bytes, Placed]:
    return {id: (process, running) for id, process, running in tuples(connection, LISTED)}


def _difference(
    id: bytes, listed: Placed | None, expected: Placed | None, has: int | None = None, should_have: int | None = None
) -> ListDifference:
    def row(place: Placed | None, in_line: int | None) -> dict[str, Any] | None:
        if place is None:
            return None
        shown = {"process_id": str(UUID(bytes=place[0])), "running": place[1]}
        return shown if in_line is None else shown | {"place": in_line}

    return ListDifference(
        SLOTS.name, {"execution_id": str(UUID(bytes=id))}, row(listed, has), row(expected, should_have)
    )


SLOTS = KeptList("admissions", SlotMoves, SlotsProof)
