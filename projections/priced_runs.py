"""The successful runs of steps with what each had cost at its end: the part of cost_ledger that estimates rest on."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from projections.facts import Fact, processes_of
from projections.projection import clean
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


_WITH_COSTS = """select p from unnest(%b) as p where exists (
  select from cost_ledger l where l.process_id = p)"""


def write_runs(connection: Connection[Any], completed: Sequence[Fact]) -> None:
    """Write the runs of a page, after its costs are in the ledger. completed: its StepCompleted.

    Most steps belong to processes that never cost anything: for these, the page reads one row a process at most.
    """
    by_execution = processes_of(completed)
    if by_execution:
        processes = arrays.uuid_bytes([*{*by_execution.values()}])
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            found = cursor.execute(_WITH_COSTS, (processes,), prepare=True).fetchall()
        with_costs = {id for (id,) in found}
        if with_costs:
            _insert(connection, [fact for fact in completed if by_execution[fact.stream] in with_costs])


def _insert(connection: Connection[Any], completed: Sequence[Fact]) -> None:
    if completed:
        given = (
            arrays.uuid_bytes([fact.origin.process_id for fact in completed]),
            arrays.texts([clean(fact.origin.place(fact.event.step)) for fact in completed]),
            arrays.bigints([fact.position for fact in completed]),
            arrays.ints([fact.origin.version for fact in completed]),
            arrays.uuid_bytes([fact.stream for fact in completed]),
            arrays.timestamptzs([fact.event.at for fact in completed]),
        )
        connection.execute(_INSERT, given, prepare=True)
