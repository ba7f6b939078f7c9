"""The totals of executions and windows that the policy of alerts keeps up to date from range to range."""

from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from psycopg import Connection

from domain.alerts.crossing import AlertScope, RuleOfProcess, TotalOf, total_of
from domain.money import add
from projections.cost_totals import totals_before

KEPT_TOTALS = 20_000
TotalKey = tuple[int, TotalOf]
"""(number of the threshold, total): those of another threshold begin anew."""


def total_key(of: RuleOfProcess, scope: AlertScope) -> TotalKey:
    """Return the key of the total of an execution or a window."""
    return of.rule.rule, total_of(of, scope)


class RunningTotals:
    """Totals as of one position; the owner forgets them all when a transaction does not succeed."""

    def __init__(self) -> None:
        self._totals: OrderedDict[TotalKey, Decimal] = OrderedDict()

    def read(self, connection: Connection[Any], requested: Iterable[tuple[TotalKey, int]]) -> None:
        """Read those of `requested` that are not kept, each of the costs before its position, in two statements."""
        first: dict[TotalKey, int] = {}
        for key, before in requested:
            if key not in self._totals:
                first.setdefault(key, before)
        found = totals_before(connection, [(key[1], before) for key, before in first.items()])
        self._totals.update(zip(first, found, strict=True))

    def __getitem__(self, key: TotalKey) -> Decimal:
        """Return a total that was read before."""
        return self._totals[key]

    def add(self, key: TotalKey, amount: Decimal) -> None:
        """Add a cost, or a sum of costs, to a total."""
        self._totals[key] = add(self._totals[key], amount)
        self._totals.move_to_end(key)

    def shrink(self) -> None:
        """Forget those that were added to the longest ago, so that at most KEPT_TOTALS are left."""
        while len(self._totals) > KEPT_TOTALS:
            self._totals.popitem(last=False)
