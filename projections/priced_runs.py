"""The successful runs of steps with what each had cost at its end: the part of cost_ledger that estimates rest on."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.table import Table, fixed, key
from store import arrays


class PricedRunRow(msgspec.Struct, gc=False):
    """A run that cost something, all of which had a price, and a currency. position: of its StepCompleted."""

    process_id: Annotated[bytes, key("uuid")]
    step: Annotated[str, key("text")]
    position: Annotated[int, key("bigint")]
    currency: Annotated[str, key("text")]
    version: Annotated[int, fixed("int not null")]
    execution_id: Annotated[bytes, fixed("uuid not null")]
    ended_at: Annotated[datetime, fixed("timestamptz not null")]
    amount: Annotated[Decimal, fixed("numeric not null")]


class CompletedRun(msgspec.Struct, gc=False):
    """A step that completed; the rows of the ledger say whether it cost something."""

    process_id: bytes
    step: str
    position: int
    version: int
    execution_id: bytes
    ended_at: datetime


RUNS = Table("priced_runs", PricedRunRow)
# Costs after the end, late answers and corrections, are not part of a run: the rows do not depend on the ends of pages.
_INSERT = """insert into priced_runs (process_id, step, position, currency, version, execution_id, ended_at, amount)
select x.process_id, x.step, x.position, c.currency, x.version, x.execution_id, x.ended_at, c.amount
from unnest(%b, %b, %b, %b, %b, %b) as x(process_id, step, position, version, execution_id, ended_at)
cross join lateral (
  select l.currency, sum(l.amount) as amount, sum(sum(l.unpriced)) over () as unpriced from cost_ledger l
  where l.run_id = x.execution_id and l.execution_id = x.execution_id and l.step = x.step and l.position <= x.position
  group by l.currency) c
where c.currency <> '' and c.unpriced <= 0
on conflict do nothing"""


def write_runs(connection: Connection[Any], completed: list[CompletedRun]) -> None:
    """Write the runs of a page, after its costs are in the ledger."""
    if completed:
        processes, steps, positions, versions, executions, ends = zip(
            *map(msgspec.structs.astuple, completed), strict=True
        )
        given = (
            arrays.uuid_bytes(processes),
            arrays.texts(steps),
            arrays.bigints(positions),
            arrays.ints(versions),
            arrays.uuid_bytes(executions),
            arrays.timestamptzs(ends),
        )
        connection.execute(_INSERT, given, prepare=True)
