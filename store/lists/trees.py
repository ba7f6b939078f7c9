"""Execution trees: how many descendants each root execution has."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.executions.events.execution import ExecutionStarted
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.unit import StreamChange

DESCENDANTS = "select root, descendants from families where root = any(%b)"


def descendants(connection: Connection[Any], roots: Iterable[UUID]) -> dict[UUID, int]:
    """Return the number of descendants of each of `roots`, at any depth; 0 for one that has none."""
    found = dict.fromkeys(roots, 0)
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        found.update(cursor.execute(DESCENDANTS, (arrays.uuids(list(found)),), prepare=True).fetchall())
    return found


class TreeMoves(Moves):
    """The executions that one append adds to trees."""

    function = "move_trees_v1"

    def __init__(self) -> None:
        self._additions: Counter[UUID] = Counter()

    def _started(self, event: ExecutionStarted, _change: StreamChange, _stream: bytes, _version: int) -> None:
        if event.parent is not None:
            self._additions[event.parent.root] += 1

    handlers = {ExecutionStarted: _started}

    def arguments(self) -> Arguments:
        """Return the roots, and by how much each tree grows."""
        if not self._additions:
            return ()
        return arrays.uuids(list(self._additions)), arrays.ints(list(self._additions.values()))


LISTED = "select root, descendants from families"
STRIKE = "delete from families where root = any(%b)"
COUNT = """insert into families (root, descendants) select * from unnest(%b, %b)
on conflict (root) do update set descendants = excluded.descendants"""


class _Parent(msgspec.Struct, gc=False):
    root: UUID


class _Started(msgspec.Struct, gc=False):
    """The fields of ExecutionStarted that the fold reads."""

    parent: _Parent | None = None


_decode = msgspec.json.Decoder(_Started).decode


class TreesProof(FoldingProof):
    """How many executions were started in each tree."""

    topics = ("ExecutionStarted",)

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for *_, state in rows:
            parent = _decode(state).parent
            if parent is not None:
                self._counts[parent.root.bytes] += 1

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
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


def _difference(root: bytes, listed: int | None, expected: int | None) -> ListDifference:
    def row(descendants: int | None) -> dict[str, Any] | None:
        return None if descendants is None else {"descendants": descendants}

    return ListDifference(TREES.name, {"root": str(UUID(bytes=root))}, row(listed), row(expected))


TREES = KeptList("families", TreeMoves, TreesProof)
