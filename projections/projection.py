"""A projection: facts of the log folded into the rows of a few tables, which can be dropped and built again."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from psycopg import Connection
from psycopg.rows import TupleRow

from projections.facts import OF_EXECUTIONS, Fact, Latest, read_facts, read_latest
from projections.kept_tables import KeptTable

ARCHIVED = "ExecutionsArchived"
C = TypeVar("C")
Handler = Callable[[C, Fact], object]


class Projection(ABC, Generic[C]):
    """One read model. C: the changes that the facts of a page are folded into; a few statements write them.

    name: the name for operators; the position of the projection is tracked under it.
    tables: its tables, none of which another projection writes.
    ddl: creates them, without a schema's name, so that they can be built aside. A change of this text makes the tables
    stale: the projection waits until it is rebuilt. See projections.table, which writes it.
    indexes: one statement each; a rebuild creates them when the rows are there.
    handlers: by stored name of the event, the function that changes C. A handler uses the fact and its origin only. It
    reads no table and no clock, so that the rows do not depend on where a page of the log ends.
    kept: the tables of figures, of which the rows stay when executions are archived; a rebuild begins with these.
    leaving: the tables of which the rows go with archived executions, by the column that holds the execution's id.
    """

    name: str
    tables: tuple[str, ...]
    ddl: str
    indexes: tuple[str, ...] = ()
    handlers: Mapping[str, Handler[C]]
    kept: tuple[KeptTable[Any], ...] = ()
    leaving: Mapping[str, str] = {}

    @abstractmethod
    def changes(self) -> C:
        """Return changes that change nothing yet."""

    @abstractmethod
    def write(self, connection: Connection[Any], changes: C) -> None:
        """Write `changes` to the tables on the search path, within the caller's transaction."""

    def fold(self, facts: Iterable[Fact], latest: Sequence[Latest] = ()) -> C:
        """Return the changes that `facts`, in order, add up to; facts without a handler change nothing.

        latest: the latest event of each execution among them.
        """
        changes: C
        (changes,) = fold_all((self,), facts, latest)
        return changes

    def fold_rows(self, rows: Sequence[TupleRow], connection: Connection[Any]) -> C:
        """Return the changes by a page of rows (position, stream, version, topic, state) of the log.

        connection: reads the origins that the page does not state. Raises msgspec.DecodeError when a state is not what
        its topic says.
        """
        return self.fold(read_facts(rows, self.handlers, connection))

    def create(self, connection: Connection[Any], *, indexed: bool = True) -> None:
        """Create the tables, and the indexes too if `indexed`, in the first schema of the search path."""
        connection.execute(self.ddl)
        if indexed:
            self.create_indexes(connection)

    def create_indexes(self, connection: Connection[Any]) -> None:
        """Create the indexes of the tables on the search path."""
        for statement in self.indexes:
            connection.execute(statement)

    @property
    def folded(self) -> frozenset[str]:
        """The stored names of the events that changes are folded from."""
        return frozenset(self.handlers)

    @property
    def topics(self) -> frozenset[str]:
        """The stored names of the events that change the tables."""
        return self.folded | {ARCHIVED} if self.leaving else self.folded

    @property
    def digest(self) -> str:
        """The fingerprint of the shape of the tables."""
        return hashlib.sha256("\n".join((self.ddl, *self.indexes)).encode()).hexdigest()


class MovedProjection(Projection[C]):
    """A read model in which every event of an execution moves its row, whatever else it changes.

    After the handlers, `move` takes the latest event of each execution on the page; it alone decides where the row is.
    """

    @abstractmethod
    def move(self, changes: C, last: Latest) -> None:
        """Move the row of an execution to its latest event."""

    def fold_rows(self, rows: Sequence[TupleRow], connection: Connection[Any]) -> C:
        return self.fold(read_facts(rows, self.handlers, connection), read_latest(rows))

    @property
    def folded(self) -> frozenset[str]:
        return super().folded | OF_EXECUTIONS


def fold_all(projections: Sequence[Projection[Any]], facts: Iterable[Fact], latest: Sequence[Latest]) -> list[Any]:
    """Return the changes of each projection that `facts`, in order, add up to. One pass over the facts serves all."""
    folded = [projection.changes() for projection in projections]
    handling: dict[str, list[tuple[Handler[Any], Any]]] = {}
    for fact in facts:
        handlers = handling.get(fact.topic)
        if handlers is None:
            handlers = handling[fact.topic] = [
                (projection.handlers[fact.topic], changes)
                for projection, changes in zip(projections, folded, strict=True)
                if fact.topic in projection.handlers
            ]
        for handler, changes in handlers:
            handler(changes, fact)
    for projection, changes in zip(projections, folded, strict=True):
        if isinstance(projection, MovedProjection):
            for each in latest:
                projection.move(changes, each)
    return folded


def clean(text: str, limit: int = 2_000) -> str:
    """Return `text` as a text column takes it: U+FFFD for NUL, and at most `limit` characters."""
    return text[:limit].replace("\0", "\ufffd")
