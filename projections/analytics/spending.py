"""The costs of calls by the time of the call, of each process and of all of them together."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from domain.money import Money, add
from projections.analytics.contributing import OWN, TREE, text_of_key
from projections.analytics.rollup import SpanRollup, span_of
from projections.analytics.rows import SPENDING, SPENT, SpendingRow, SpentRow
from projections.origins import Origin


class SpendingRollups:
    """The changes of a page to what calls cost, by process and in all."""

    def __init__(self) -> None:
        self._by_process = SpanRollup(SPENDING, SpendingRow)
        self._all = SpanRollup(SPENT, SpentRow)

    def spend(self, at: datetime, own: Origin, root: Origin, cost: Money, uses: int) -> None:
        """Add the cost of a call that began `at`. own, root: of its execution, and of the root of that."""
        span = span_of(at)
        rows: list[SpendingRow | SpentRow] = [self._all.row(*span, cost.currency)]
        for scope, of in ((OWN, own), (TREE, root)):
            key = (of.process_id, of.version, text_of_key(of.trigger), scope, cost.currency)
            rows.append(self._by_process.row(*span, *key))
        for row in rows:
            row.uses += uses
            row.amount = add(row.amount, cost.amount)

    def append(self, connection: Connection[Any]) -> None:
        """Write the changes in all grains."""
        for rollup in (self._by_process, self._all):
            rollup.spread()
            rollup.append(connection)
