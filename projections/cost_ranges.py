"""Reads of a range of the ledger for the policy of alerts: its sums, and the single costs where a level is near."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.alerts.crossing import SpentCost
from store import arrays

# By process for the windows, and by execution for those processes that have a threshold for each of them. An execution
# inside another one of the same process, as of the steps inside a step, is a part of that one.
_SUMS = """select process_id, currency, run_id, coalesce(sum(amount) filter (where outermost = 1), 0),
  min(at), max(at), bool_or(correction = 1 or amount < 0)
from cost_ledger where position > %b and position <= %b and process_id = any(%b) and currency <> ''
group by grouping sets ((process_id, currency), (process_id, currency, run_id))
having run_id is null or process_id = any(%b)"""
_COSTS = """select position, process_id, run_id, execution_id, step, at, recorded_at, amount, currency, outermost,
  correction from cost_ledger
where position > %b and position <= %b and (process_id = any(%b) or run_id = any(%b)) and currency <> ''
order by position"""


class RangeSum(msgspec.Struct, frozen=True, gc=False):
    """The costs of a range in one currency: of an execution, or without one of a process.

    amount: of those that count: an execution counts once, whatever calls what. begin, end: of the first and the last
    call. corrected: an amount is negative, or the difference that a correction makes.
    """

    process_id: UUID
    currency: str
    run_id: UUID | None
    amount: Decimal
    begin: datetime
    end: datetime
    corrected: bool


def sums_between(
    connection: Connection[Any], after: int, until: int, processes: Iterable[UUID], with_runs: Iterable[UUID]
) -> list[RangeSum]:
    """Return the sums of a range by process and currency; of processes `with_runs`, by execution too."""
    given = arrays.uuids(list(processes)), arrays.uuids(list(with_runs))
    return [
        RangeSum(UUID(bytes=id), currency, None if run is None else UUID(bytes=run), *rest)
        for id, currency, run, *rest in _fetch(connection, _SUMS, after, until, *given)
    ]


def costs_between(
    connection: Connection[Any], after: int, until: int, processes: Iterable[UUID], runs: Iterable[UUID]
) -> list[SpentCost]:
    """Return the costs of a range that count for these processes or executions, in order; none without a price."""
    given = arrays.uuids(list(processes)), arrays.uuids(list(runs))
    return [
        SpentCost(
            position,
            UUID(bytes=process),
            UUID(bytes=run),
            UUID(bytes=execution),
            step,
            at,
            recorded_at,
            amount,
            currency,
            bool(outermost),
            bool(correction),
        )
        for position, process, run, execution, step, at, recorded_at, amount, currency, outermost, correction in _fetch(
            connection, _COSTS, after, until, *given
        )
    ]


def _fetch(connection: Connection[Any], query: str, *parameters: object) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()
