"""The batches that workers go through: which have started and are not over, and which of them a worker has claimed."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.batches.events import BatchEnded, BatchStarted, BatchStopped
from domain.catalogue import STORED_NAMES
from domain.event import Event
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.unit import StreamChange

# Other workers leave a claimed batch alone for so long. Two that act on it at once do no harm: the log takes one.
CLAIMED_FOR = timedelta(seconds=10)

CLAIM = """update running_batches set claimed_until = clock_timestamp() + %(claimed_for)s, turn = clock_timestamp()
where batch_id = (
  select batch_id from running_batches where claimed_until is null or claimed_until < now()
  order by turn limit 1 for update skip locked)
returning batch_id, (
  select coalesce(max(e.originator_version), 0) from stored_events e
  where e.originator_id = running_batches.batch_id)"""
POSTPONE = "update running_batches set claimed_until = now() + %s where batch_id = %s"


class ClaimedBatch(msgspec.Struct, frozen=True):
    """A batch that a worker has claimed. version: of its stream."""

    batch_id: UUID
    version: int


def claim(connection: Connection[Any]) -> ClaimedBatch | None:
    """Claim the batch that has waited longest and that no worker has; None when there is none."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        row = cursor.execute(CLAIM, {"claimed_for": CLAIMED_FOR}, prepare=True).fetchone()
    return None if row is None else ClaimedBatch(*row)


def release(connection: Connection[Any], batch: UUID) -> None:
    """Let other workers claim a batch."""
    connection.execute("update running_batches set claimed_until = null where batch_id = %s", (batch,))


def postpone(connection: Connection[Any], batch: UUID, wait: timedelta) -> None:
    """Let no worker claim a batch for so long: no decision about it succeeds."""
    connection.execute(POSTPONE, (wait, batch))


class RunningBatchMoves(Moves):
    """The batches that one append starts and ends."""

    function = "move_running_batches_v1"

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._over: list[bytes] = []

    def _start(self, _event: BatchStarted, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._begun.append(stream)

    def _end(self, _event: Event, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._over.append(stream)

    handlers = {BatchStarted: _start, BatchEnded: _end, BatchStopped: _end}

    def arguments(self) -> Arguments:
        """Return the batches to insert, and those to strike off."""
        if not (self._begun or self._over):
            return ()
        return arrays.uuid_bytes(self._begun), arrays.uuid_bytes(self._over)


LISTED = "select batch_id from running_batches"
STRIKE = "delete from running_batches where batch_id = any(%b)"
INSERT = "insert into running_batches (batch_id) select * from unnest(%b)"


class RunningBatchesProof(FoldingProof):
    """The last of these events of each batch says whether it is over."""

    topics = sorted(STORED_NAMES[kind] for kind in RunningBatchMoves.handlers)

    def __init__(self) -> None:
        self._running: set[bytes] = set()

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, _ in rows:
            if topic == STORED_NAMES[BatchStarted]:
                self._running.add(stream)
            else:
                self._running.discard(stream)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        listed = _listed(connection)
        differing = sorted(listed ^ self._running)
        return len(self._running), [_difference(id, id in listed) for id in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        listed = _listed(connection)
        if surplus := listed - self._running:
            connection.execute(STRIKE, (arrays.uuid_bytes(list(surplus)),))
        if missing := self._running - listed:
            connection.execute(INSERT, (arrays.uuid_bytes(list(missing)),))


def _listed(connection: Connection[Any]) -> set[bytes]:
    return {row[0] for row in tuples(connection, LISTED)}


def _difference(id: bytes, listed: bool) -> ListDifference:
    row: dict[str, Any] = {"batch_id": str(UUID(bytes=id))}
    return ListDifference(RUNNING_BATCHES.name, row, row if listed else None, None if listed else row)


RUNNING_BATCHES = KeptList("running_batches", RunningBatchMoves, RunningBatchesProof)
