"""A projection: facts of the log folded into the rows of a few tables, which can be dropped and built again."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from psycopg import Connection

from projections.facts import Fact

# Sums of money are exact, or an error: amounts have up to 40 digits and 40 places, far from where this would round.
C = TypeVar("C")
Handler = Callable[[C, Fact], None]


class Projection(ABC, Generic[C]):
    """One read model. C: what the facts of a page are folded into, before it is written in a few statements.

    name: as operators call it; its position is tracked under it.
    tables: its tables, none of which another projection writes.
    ddl: creates them, without a schema's name, so that they can be built aside. Changing it, a comment included,
    makes the tables stale: the projection waits until it is rebuilt.
    indexes: one statement each; a rebuild creates them when the rows are there.
    handlers: by stored name of the event, what it changes. A handler only touches the changes: nothing is read,
    nothing is asked of the clock, so that the rows do not depend on where a page of the log ended.
    """

    name: str
    tables: tuple[str, ...]
    ddl: str
    indexes: tuple[str, ...] = ()
    handlers: Mapping[str, Handler[C]]

    @abstractmethod
    def changes(self) -> C:
        """Changes that change nothing yet."""

    @abstractmethod
    def write(self, connection: Connection[Any], changes: C) -> None:
        """Bring `changes` into the tables found on the search path, within the caller's transaction."""

    def fold(self, facts: Iterable[Fact]) -> C:
        """The changes that `facts`, in order, add up to; facts it has no handler for are passed over."""
        changes, handlers = self.changes(), self.handlers
        for fact in facts:
            handler = handlers.get(fact.topic)
            if handler is not None:
                handler(changes, fact)
        return changes

    def create(self, connection: Connection[Any], *, indexed: bool = True) -> None:
        """Create the tables, and the indexes too if `indexed`, in the first schema of the search path."""
        connection.execute(self.ddl)
        if indexed:
            self.create_indexes(connection)

    def create_indexes(self, connection: Connection[Any]) -> None:
        """Create the indexes of the tables found on the search path."""
        for statement in self.indexes:
            connection.execute(statement)

    @property
    def digest(self) -> str:
        """What the tables look like, as a fingerprint."""
        return hashlib.sha256("\n".join((self.ddl, *self.indexes)).encode()).hexdigest()


def clean(text: str, limit: int = 2_000) -> str:
    """`text` as a text column takes it: without NUL, which becomes U+FFFD, and of at most `limit` characters."""
    return text[:limit].replace("\0", "\ufffd")
