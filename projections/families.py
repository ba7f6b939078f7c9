"""How many executions each root has brought about, as every append counts: proven against the log, and put right."""

from collections import Counter
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

NAME = "families"

LISTED = "select root, descendants from families"
STRIKE = "delete from families where root = any(%b)"
COUNT = """insert into families (root, descendants) select * from unnest(%b, %b)
on conflict (root) do update set descendants = excluded.descendants"""


class _Parent(msgspec.Struct, gc=False):
    root: UUID


class _Started(msgspec.Struct, gc=False):
    """What counts of ExecutionStarted."""

    parent: _Parent | None = None


_decode = msgspec.json.Decoder(_Started).decode


def rebuild(datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the counts right, as kept_lists.rebuild does."""
    return kept_lists.rebuild(_Families(), datastore, progress)


def verify(datastore: Datastore, progress: Progress) -> Verified:
    """Compare the counts, as kept_lists.verify does."""
    return kept_lists.verify(_Families(), datastore, progress)


class _Families:
    topics = ("ExecutionStarted",)

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for *_, state in rows:
            parent = _decode(state).parent
            if parent is not None:
                self._counts[parent.root.bytes] += 1

    def compare(self, connection: Connection[Any]) -> tuple[int, list[Difference]]:
        listed = _listed(connection)
        roots = sorted(
            root for root in self._counts.keys() | listed.keys() if self._counts.get(root) != listed.get(root)
        )
        return len(self._counts), [_difference(root, listed.get(root), self._counts.get(root)) for root in roots]

    def put_right(self, connection: Connection[Any]) -> None:
        listed = _listed(connection)
        surplus = [root for root in listed if root not in self._counts]
        wrong = [(root, count) for root, count in self._counts.items() if listed.get(root) != count]
        if surplus:
            connection.execute(STRIKE, (arrays.uuid_bytes(surplus),))
        if wrong:
            roots, counts = arrays.uuid_bytes([root for root, _ in wrong]), arrays.ints([count for _, count in wrong])
            connection.execute(COUNT, (roots, counts))


def _listed(connection: Connection[Any]) -> dict[bytes, int]:
    return dict(tuples(connection, LISTED))


def _difference(root: bytes, listed: int | None, expected: int | None) -> Difference:
    def row(descendants: int | None) -> dict[str, Any] | None:
        return None if descendants is None else {"descendants": descendants}

    return Difference(NAME, {"root": str(UUID(bytes=root))}, row(listed), row(expected))
