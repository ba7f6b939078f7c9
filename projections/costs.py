"""The costs of calls: a row a use that prices apply to, and a row a process, day of the call and currency."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.costs.calculator import REPORTED
from domain.executions.state.cost import differences
from domain.money import Money, add
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.step_costs import is_unpriced
from projections.table import OFTEN_UPDATED, Table, fixed, key, latest, total


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


class CostDayRow(msgspec.Struct, gc=False):
    """The amount that a page adds to a day in UTC: that of the start of the calls."""

    process: Annotated[str, key("text not null")]
    day: Annotated[datetime, key("timestamptz not null")]
    currency: Annotated[str, key("text not null")]
    amount: Annotated[Decimal, total("numeric")]


CALLS = Table("call_costs", CallCostRow)
DAYS = Table("cost_days", CostDayRow, f"fillfactor = 50, {OFTEN_UPDATED}")


class CostChanges:
    """Rows by execution and version, amounts by process, day and currency."""

    __slots__ = ("calls", "days")

    def __init__(self) -> None:
        self.calls: dict[tuple[bytes, int], CallCostRow] = {}
        self.days: dict[tuple[str, datetime, str], Decimal] = {}

    def spend(self, fact: Fact, cost: Money) -> None:
        """Add an amount to the day of the call."""
        at = (fact.event.called_at or fact.event.at).astimezone(UTC)
        key = fact.origin.process, at.replace(hour=0, minute=0, second=0, microsecond=0), cost.currency
        self.days[key] = add(self.days.get(key, Decimal(0)), cost.amount)


def _recorded(changes: CostChanges, fact: Fact) -> None:
    event = fact.event
    if event.cost is not None:
        changes.spend(fact, event.cost)
    if not (event.model or event.provider or (event.cost is None and is_unpriced(event))):
        return
    usage, cost = event.usage, event.cost
    changes.calls[fact.stream, fact.version] = CallCostRow(
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
    for cost in differences(event.before, event.after):
        changes.spend(fact, cost)
    if event.after is None:
        return
    key = fact.stream, event.recorded
    row = changes.calls.get(key)
    if row is None:
        row = changes.calls[key] = CallCostRow(execution_id=fact.stream, recorded=event.recorded)
    row.amount, row.currency, row.price_source = event.after.amount, event.after.currency, event.price_source


class CostsProjection(Projection[CostChanges]):
    """call_costs: each use with a model, or without a price; cost_days: amounts by process and day of the call."""

    name = "costs"
    tables = ("call_costs", "cost_days")
    ddl = CALLS.ddl + DAYS.ddl
    indexes = (
        "create index call_costs_model_idx on call_costs (model, called_at)",
        "create index call_costs_unpriced_idx on call_costs (position desc) where amount is null",
    )
    handlers: dict[str, Handler[CostChanges]] = {"CostRecorded": _recorded, "CostCorrected": _corrected}

    def changes(self) -> CostChanges:
        return CostChanges()

    def write(self, connection: Connection[Any], changes: CostChanges) -> None:
        CALLS.write(connection, changes.calls.values())
        DAYS.write(connection, [CostDayRow(*key, amount) for key, amount in changes.days.items()])
