"""Uses that prices apply to: a row a call, found by its model; its amount changes with its corrections.

The ledger (`projections.cost_ledger`) holds what adds up: there a correction is a row of its own, and a cost has a row
for every execution above.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.costs.calculator import REPORTED
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.step_costs import is_unpriced
from projections.table import Table, fixed, key, latest


class CallCostRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to the cost of one call; None leaves a column as it is.

    recorded: the version of its CostRecorded in the stream of the execution. called_at: the start of the call. amount:
    counts now; null: not priced. price_source: where its price
    stood; ``reported``: the agent stated it.
    """

    execution_id: Annotated[bytes, key("uuid not null")]
    recorded: Annotated[int, key("int not null")]
    position: Annotated[int | None, fixed("bigint")] = None
    process: Annotated[str | None, fixed("text")] = None
    step: Annotated[str | None, fixed("text")] = None
    attempt: Annotated[int | None, fixed("int")] = None
    agent: Annotated[str | None, fixed("text")] = None
    provider: Annotated[str | None, fixed("text")] = None
    model: Annotated[str | None, fixed("text")] = None
    called_at: Annotated[datetime | None, fixed("timestamptz")] = None
    input_tokens: Annotated[int | None, fixed("bigint")] = None
    output_tokens: Annotated[int | None, fixed("bigint")] = None
    flags: Annotated[list[str] | None, fixed("json")] = None
    price_source: Annotated[str | None, latest("text")] = None
    amount: Annotated[Decimal | None, latest("numeric")] = None
    currency: Annotated[str | None, latest("text")] = None


CALLS = Table("call_costs", CallCostRow)
CostChanges = dict[tuple[bytes, int], CallCostRow]
"""Rows by execution and version."""


def _recorded(changes: CostChanges, fact: Fact) -> None:
    event = fact.event
    if not (event.model or event.provider or (event.cost is None and is_unpriced(event))):
        return
    usage, cost = event.usage, event.cost
    changes[fact.stream, fact.version] = CallCostRow(
        execution_id=fact.stream,
        recorded=fact.version,
        position=fact.position,
        process=fact.origin.process,
        step=event.step,
        attempt=event.attempt,
        agent=clean(event.agent),
        provider=clean(event.provider.lower()),
        model=clean(event.model.lower()),
        called_at=event.called_at or event.at,
        input_tokens=0 if usage is None else usage.input_tokens,
        output_tokens=0 if usage is None else usage.output_tokens,
        flags=event.flags,
        price_source=event.price_source or (None if cost is None else REPORTED),
        amount=None if cost is None else cost.amount,
        currency=None if cost is None else cost.currency,
    )


def _corrected(changes: CostChanges, fact: Fact) -> None:
    event = fact.event
    if event.after is None:
        return
    key = fact.stream, event.recorded
    row = changes.get(key)
    if row is None:
        row = changes[key] = CallCostRow(execution_id=fact.stream, recorded=event.recorded)
    row.amount, row.currency, row.price_source = event.after.amount, event.after.currency, event.price_source


class CostsProjection(Projection[CostChanges]):
    """call_costs: each use with a model, or without a price."""

    name = "costs"
    tables = ("call_costs",)
    ddl = CALLS.ddl
    leaving = dict.fromkeys(tables, "execution_id")
    indexes = (
        "create index call_costs_model_idx on call_costs (model, called_at)",
        "create index call_costs_unpriced_idx on call_costs (position desc) where amount is null",
    )
    handlers: dict[str, Handler[CostChanges]] = {"CostRecorded": _recorded, "CostCorrected": _corrected}

    def changes(self) -> CostChanges:
        return {}

    def write(self, connection: Connection[Any], changes: CostChanges) -> None:
        CALLS.write(connection, changes.values())
