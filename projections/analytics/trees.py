"""The costs of execution trees: a root counts with all that it called, directly or not, whenever that was spent."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.analytics.measures import ExecutionMeasure, Spent
from projections.analytics.contributing import TREE, Rollups, SpanKey, key_of
from projections.analytics.rollup import Rollup
from projections.analytics.rows import TREE_COSTS, TreeCostsRow
from store import arrays

_BELOW = "select root, currency, uses, amount, unpriced from analytics_tree_costs where root = any(%b)"


class _Counted(msgspec.Struct, gc=False):
    """A contribution of a root with its own costs, to which those of its tree are added."""

    key: SpanKey
    outcome: str
    spent: Spent


_NOTHING = Spent()


class TreeChanges:
    """The changes of a page to trees. roots: those of which a contribution or the costs below change."""

    def __init__(self) -> None:
        self.roots: set[bytes] = set()
        self._before: dict[bytes, _Counted | None] = {}  # of the roots on the page
        self._below: dict[bytes, Spent] = {}

    def before(self, measure: ExecutionMeasure) -> "_Counted | Spent | None":
        """Return what an execution counts for its tree before its measure changes, for `after`."""
        return _counted(measure) if measure.root is None else _copied(measure.spent)

    def after(self, stream: bytes, measure: ExecutionMeasure, before: "_Counted | Spent | None") -> None:
        """Note what an execution counts for its tree after its measure has changed."""
        if measure.root is None:
            assert not isinstance(before, Spent)
            self._before[stream] = before
            if before is not None or measure.ended_at is not None:
                self.roots.add(stream)
        elif isinstance(before, Spent):
            if measure.spent.is_nothing and before.is_nothing:
                return
            change = measure.spent.copy()
            change.add(before, -1)
            if any(change.uses.values()) or any(change.amounts.values()) or change.unpriced:
                self._below.setdefault(measure.root, Spent()).add(change)
                self.roots.add(measure.root)

    def write(self, connection: Connection[Any], measures: Mapping[bytes, ExecutionMeasure], rollups: Rollups) -> None:
        """Write the costs below roots, and let the contributions of the roots to `rollups` follow."""
        roots = self.roots & measures.keys()
        calling = [root for root in roots if root in self._below or measures[root].calls]
        below = _read(connection, calling) if calling else {}
        for root in roots:
            after = _counted(measures[root])
            spent = below.get(root, _NOTHING)
            before = self._before.get(root, after)
            if before is not None:
                rollups.costs(before.key, TREE, before.outcome, _sum(before.spent, spent), -1)
            if root in self._below:
                spent = _sum(spent, self._below[root])
            if after is not None:
                rollups.costs(after.key, TREE, after.outcome, _sum(after.spent, spent), 1)
        if self._below:
            _rows(self._below).write(connection)


def _counted(measure: ExecutionMeasure) -> _Counted | None:
    """Return the contribution of a root; None while it has not ended."""
    return None if measure.ended_at is None else _Counted(key_of(measure), measure.outcome, _copied(measure.spent))


def _copied(spent: Spent) -> Spent:
    """Return a copy that does not change any more; most executions spend nothing."""
    return _NOTHING if spent.is_nothing else spent.copy()


def _sum(one: Spent, other: Spent) -> Spent:
    if other.is_nothing:
        return one
    spent = one.copy()
    spent.add(other)
    return spent


def _rows(below: Mapping[bytes, Spent]) -> Rollup[TreeCostsRow]:
    rollup = Rollup(TREE_COSTS, TreeCostsRow)
    for root, spent in below.items():
        for currency, uses in spent.uses.items():
            row = rollup.row(root, currency)
            row.uses, row.amount = uses, spent.amounts[currency]
        if spent.unpriced:
            rollup.row(root, "").unpriced = spent.unpriced
    return rollup


def _read(connection: Connection[Any], roots: Iterable[bytes]) -> dict[bytes, Spent]:
    found: dict[bytes, Spent] = {}
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        rows = cursor.execute(_BELOW, (arrays.uuid_bytes([*roots]),), prepare=True)
        for root, currency, uses, amount, unpriced in rows:
            spent = found.setdefault(root, Spent())
            if currency:
                spent.uses[currency], spent.amounts[currency] = uses, amount
            spent.unpriced += unpriced
    return found
