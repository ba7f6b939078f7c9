"""The costs of the executions below each execution: the part of execution_detail that has a row a currency.

An execution may have ten thousand descendants, and its page shows the sum of their costs.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.executions.state.cost import differences
from domain.money import add
from projections.facts import Fact
from projections.step_costs import is_unpriced
from projections.table import OFTEN_UPDATED, Table, key, total


class CostBelowRow(msgspec.Struct, gc=False):
    """The cost that a page adds below an execution. currency: empty for the uses without a price, which are counted."""

    execution_id: Annotated[bytes, key("uuid not null")]
    currency: Annotated[str, key("text not null")]
    amount: Annotated[Decimal, total("numeric")]
    unpriced: Annotated[int, total("bigint")]


BELOW = Table("execution_costs_below", CostBelowRow, f"fillfactor = 50, {OFTEN_UPDATED}")


def write(connection: Connection[Any], spent: Iterable[Fact]) -> None:
    """Add the costs of a page, its CostRecorded and CostCorrected, to every execution above the one that spent."""
    rows: dict[tuple[bytes, str], CostBelowRow] = {}
    for fact in spent:
        for above in fact.origin.path:
            for currency, amount, unpriced in _changes(fact):
                row = rows.get((above, currency))
                if row is None:
                    row = rows[above, currency] = CostBelowRow(above, currency, Decimal(0), 0)
                row.amount = add(row.amount, amount)
                row.unpriced += unpriced
    BELOW.write(connection, rows.values())


def _changes(fact: Fact) -> list[tuple[str, Decimal, int]]:
    event = fact.event
    if fact.topic == "CostRecorded":
        if event.cost is not None:
            return [(event.cost.currency, event.cost.amount, 0)]
        return [("", Decimal(0), 1)] if is_unpriced(event) else []
    found = [(cost.currency, cost.amount, 0) for cost in differences(event.before, event.after)]
    unpriced = (event.after is None) - (event.before is None)
    return [*found, ("", Decimal(0), unpriced)] if unpriced else found
