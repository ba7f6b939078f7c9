"""A list that every append keeps: how an append moves it, how the log proves it, how a rebuild corrects it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar

import msgspec
from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, tuple_row

from domain.event import Event
from store import arrays
from store.archive.locks import wait_shared
from store.datastore import Datastore
from store.locks import LOG_LOCK, take_lock
from store.progress import Progress
from store.reading import BULK, connect, count, head, read_pages, read_range
from store.unit import StreamChange

SAMPLES = 10

Arguments = tuple[arrays.Array | bool, ...]
ListHandler = Callable[[Any, Any, StreamChange, bytes, int], None]
"""Called with the moves, the event, its change, the id of its stream as 16 bytes, and its version."""


class ListDifference(msgspec.Struct, frozen=True):
    """A row that differs. key: its primary key. live, rebuilt: the row as JSON; None where there is none."""

    table: str
    key: dict[str, Any]
    live: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


class ParkedEvent(msgspec.Struct, frozen=True):
    """An event, by its position in the log, that a read model could not apply."""

    position: int
    error: str


class Verified(msgspec.Struct, frozen=True):
    """How many rows follow from the log, how many rows in use differ (wrong, missing, surplus), and some of these.

    parked: how many events the rows lack because they could not be applied. parked_events: some of these.
    """

    rows: int
    differing: int
    samples: list[ListDifference]
    parked: int = 0
    parked_events: list[ParkedEvent] = []


class Rebuilt(msgspec.Struct, frozen=True):
    """How many events the rebuilt rows follow from, and how many seconds the rebuild took."""

    events: int
    seconds: float


class Moves(ABC):
    """The changes of one append to one list.

    function: the SQL function that makes the changes; its first argument is the position that the append reached.
    handlers: by event, the method that collects what the event changes.
    """

    function: ClassVar[str]
    handlers: ClassVar[Mapping[type[Event], ListHandler]] = {}

    def add_change(self, change: StreamChange) -> None:  # noqa: B027 - some lists move by events alone
        """Collect what `change` states beside its events, after the handlers of these; called if there is something."""

    @abstractmethod
    def arguments(self) -> Arguments:
        """Return the arguments of `function` after the first; none when there is nothing to move."""


class Proof(ABC):
    """The rows that follow from the log, as far as the proof has read it."""

    @abstractmethod
    def read(self, connection: Connection[Any], after: int, until: int, progress: Progress) -> None:
        """Continue from position `after` to `until`. progress: called with positions done and to do."""

    @abstractmethod
    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        """Return the number of rows that follow from the log, and every row that differs: missing, surplus or wrong."""

    @abstractmethod
    def put_right(self, connection: Connection[Any]) -> None:
        """Change the rows that differ, and no others."""


class FoldingProof(Proof):
    """A proof that follows from some events one by one. topics: their stored names."""

    topics: Sequence[str]

    def read(self, connection: Connection[Any], after: int, until: int, progress: Progress) -> None:
        """Fold the events of `topics` page by page."""
        topics = list(self.topics)
        for end, rows in read_pages(lambda begin, end: read_range(connection, begin, end, topics), after, until):
            self.fold(rows)
            progress(end, until)

    @abstractmethod
    def fold(self, rows: Iterable[TupleRow]) -> None:
        """Continue by rows (position, stream, version, topic, state) of `topics`, in their order."""


class KeptList(msgspec.Struct, frozen=True):
    """One list. name: its table, and its name for operators. moves, proof: make an empty one."""

    name: str
    moves: type[Moves]
    proof: Callable[[], Proof]

    def rebuild(self, datastore: Datastore, progress: Progress) -> Rebuilt:
        """Put the list right; appends wait only for the last few events. Rows that are right, or claimed, stay.

        progress: called with positions done and to do.
        Raises psycopg.OperationalError during an outage; the list is then as it was.
        """
        begun = time.perf_counter()
        with closing(connect(datastore)) as connection:
            wait_shared(connection)
            proof, at = self.proof(), 0
            while (end := head(connection)) - at > (0 if at == 0 else BULK):
                proof.read(connection, at, end, progress)
                at = end
            with connection.transaction():
                take_lock(connection, LOG_LOCK)
                end = head(connection)
                proof.read(connection, at, end, progress)
                proof.put_right(connection)
            seconds = time.perf_counter() - begun
            return Rebuilt(count(connection, end), seconds)

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        """Compare the list with the rows that follow from the log, in one snapshot; change nothing.

        Raises psycopg.OperationalError during an outage.
        """
        with closing(connect(datastore)) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                proof = self.proof()
                proof.read(connection, 0, head(connection), progress)
                rows, differing = proof.compare(connection)
        return Verified(rows, len(differing), differing[:SAMPLES])


def tuples(connection: Connection[Any], query: str, parameters: Sequence[Any] = ()) -> list[TupleRow]:
    """Return the rows of `query`; ids as 16 bytes."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters).fetchall()
