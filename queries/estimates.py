"""Estimates of what steps will cost: from the last successful runs of the same step; never a part of any sum."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from uuid import UUID

import msgspec

from queries.amounts import Amount
from queries.reading import Reading, fetch

ENOUGH = 5
"""With fewer runs there is no estimate."""
RUNS = 50
NEWEST = 500

_RUNS = f"""select s.step, l.version = %(version)s as same, s.execution_id, c.currency, c.amount
from (select execution_id, version, position from (
    select execution_id, version, status, position from execution_list
    where process_id = %(process)s order by position desc limit {NEWEST}) newest
  where status = 'completed') l
join execution_steps s on s.execution_id = l.execution_id and s.status = 'completed' and s.step = any(%(steps)s)
left join execution_step_costs c on c.execution_id = s.execution_id and c.step = s.step
order by l.position desc"""


class StepEstimate(msgspec.Struct, frozen=True):
    """The likely cost of a step. median, p90: by nearest rank, an amount a currency; null: not enough history.

    n: the runs that it rests on. basis: ``version``: runs of the same version; ``process``: of any.
    """

    step: str
    n: int
    basis: str
    median: list[Amount] | None
    p90: list[Amount] | None


def estimate_steps(reading: Reading, process_id: UUID, version: int, steps: Sequence[str]) -> list[StepEstimate]:
    """Return the estimates of those steps that ever cost anything, from their last successful runs."""
    if not steps:
        return []
    given = {"process": process_id, "version": version, "steps": list(steps)}
    with reading.of("execution_list") as (connection, _):
        rows = fetch(connection, _RUNS, given)
    runs: dict[str, dict[UUID, tuple[bool, dict[str, Decimal]]]] = {}
    for row in rows:
        _, costs = runs.setdefault(row["step"], {}).setdefault(row["execution_id"], (row["same"], {}))
        if row["currency"] is not None:
            costs[row["currency"]] = row["amount"]
    return [
        _estimate(step, list(runs[step].values())) for step in steps if any(c for _, c in runs.get(step, {}).values())
    ]


def _estimate(step: str, runs: list[tuple[bool, dict[str, Decimal]]]) -> StepEstimate:
    same = [costs for of_version, costs in runs if of_version][:RUNS]
    basis, chosen = ("version", same) if len(same) >= ENOUGH else ("process", [costs for _, costs in runs][:RUNS])
    if len(chosen) < ENOUGH:
        return StepEstimate(step, len(chosen), basis, None, None)
    currencies = sorted({currency for costs in chosen for currency in costs})
    amounts = {each: sorted(costs.get(each, Decimal(0)) for costs in chosen) for each in currencies}
    return StepEstimate(step, len(chosen), basis, _rank(amounts.items(), 0.5), _rank(amounts.items(), 0.9))


def _rank(amounts: Iterable[tuple[str, list[Decimal]]], quantile: float) -> list[Amount]:
    return [Amount(f"{all[ceil(quantile * len(all)) - 1]:f}", currency) for currency, all in amounts]
