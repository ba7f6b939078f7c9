"""Estimates of what steps will cost, from the last successful runs of the same step; and how good they were."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.money import add
from queries.amounts import Amount
from queries.reading import Reading, ReadModelRebuilding, fetch

LEDGER = "cost_ledger"
ENOUGH = 5
"""With fewer runs there is no estimate."""
RUNS = 50
COMPARED = 50
NEWEST = 500
MOST_STEPS = 200

# Runs of the same version are those among the newest of any, so that a new version reads no more.
_RUNS = f"""select s.step, r.same, r.position, r.currency, r.amount from unnest(%(steps)s::text[]) as s(step)
cross join lateral (
  (select true as same, position, currency, amount from (
      select version, position, currency, amount from priced_runs
      where process_id = %(process)s and step = s.step order by position desc limit {NEWEST}) newest
    where version = %(version)s order by position desc limit {RUNS})
  union all
  (select false, position, currency, amount from priced_runs
    where process_id = %(process)s and step = s.step order by position desc limit {RUNS})) r"""
_HISTORY = f"""select s.step, r.version, r.position, r.currency, r.amount from unnest(%(steps)s::text[]) as s(step)
cross join lateral (select version, position, currency, amount from priced_runs
  where process_id = %(process)s and step = s.step order by position desc limit {COMPARED + RUNS}) r
order by r.position"""

RunCosts = dict[str, Decimal]
"""The cost of a run by currency."""


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The likely cost of a step. median, p90: by nearest rank, an amount a currency; absent: not enough history.

    n: the runs that it rests on. basis: ``version``: runs of the same version; ``process``: of any.
    """

    n: int
    median: list[Amount] | None = None
    p90: list[Amount] | None = None
    basis: str | None = None


class StepEstimate(msgspec.Struct, frozen=True):
    """The likely cost of a step. median, p90: null: not enough history; the other fields are those of an estimate."""

    step: str
    n: int
    basis: str
    median: list[Amount] | None
    p90: list[Amount] | None


class EstimateRecord(msgspec.Struct, frozen=True):
    """The estimates of a step against what its runs then cost. estimate: of the next run.

    compared: the last runs that had an estimate before, 50 at most. within_median, within_p90: how many of them cost at
    most as much as the median and as the amount of 9 in 10. off_by: the median of the difference to the median.
    """

    step: str
    estimate: Estimate
    compared: int
    within_median: int
    within_p90: int
    off_by: list[Amount]


def step_estimate(step: str, found: Estimate) -> StepEstimate:
    """Return the estimate of a step with its name."""
    return StepEstimate(step, found.n, found.basis or "process", found.median, found.p90)


def estimates_of(reading: Reading, process_id: UUID, version: int, steps: Sequence[str]) -> dict[str, Estimate]:
    """Return the estimates of steps; a step that never cost anything has ``n`` 0."""
    if not steps:
        return {}
    given: dict[str, Any] = {"process": process_id, "version": version, "steps": list(steps[:MOST_STEPS])}
    try:
        with reading.of(LEDGER) as (connection, _):
            rows = fetch(connection, _RUNS, given)
    except ReadModelRebuilding:
        return {}
    runs: dict[tuple[str, bool], dict[int, RunCosts]] = {}
    for row in rows:
        runs.setdefault((row["step"], row["same"]), {}).setdefault(row["position"], {})[row["currency"]] = row["amount"]
    return {
        step: _estimate([*runs.get((step, True), {}).values()], [*runs.get((step, False), {}).values()])
        for step in given["steps"]
    }


def records_of(
    connection: Connection[Any], process_id: UUID, version: int, steps: Sequence[str]
) -> list[EstimateRecord]:
    """Return how good the estimates of steps were; none of steps that never cost anything."""
    rows = fetch(connection, _HISTORY, {"process": process_id, "steps": list(steps[:MOST_STEPS])})
    history: dict[str, dict[int, tuple[int, RunCosts]]] = {}
    for row in rows:
        _, costs = history.setdefault(row["step"], {}).setdefault(row["position"], (row["version"], {}))
        costs[row["currency"]] = row["amount"]
    return [_record(step, list(history[step].values()), version) for step in steps if step in history]


def _record(step: str, runs: list[tuple[int, RunCosts]], version: int) -> EstimateRecord:
    """Compare each of the last runs, oldest first, with the estimate from those before it."""
    within_median = within_p90 = compared = 0
    differences: dict[str, list[Decimal]] = {}
    for n in range(max(len(runs) - COMPARED, 0), len(runs)):
        of_version, costs = runs[n]
        before = _before(runs[:n], of_version)
        if before.median is None or before.p90 is None:
            continue
        compared += 1
        within_median += _within(costs, before.median)
        within_p90 += _within(costs, before.p90)
        for each in before.median:
            cost = costs.get(each.currency, Decimal(0))
            differences.setdefault(each.currency, []).append(add(cost, Decimal(each.amount).copy_negate()).copy_abs())
    off_by = _rank(((currency, sorted(all)) for currency, all in sorted(differences.items())), 0.5)
    return EstimateRecord(step, _before(runs, version), compared, within_median, within_p90, off_by)


def _before(runs: Sequence[tuple[int, RunCosts]], version: int) -> Estimate:
    return _estimate(
        [costs for of, costs in reversed(runs) if of == version][:RUNS], [costs for _, costs in reversed(runs)][:RUNS]
    )


def _within(costs: RunCosts, amounts: list[Amount]) -> bool:
    most = {each.currency: Decimal(each.amount) for each in amounts}
    return all(cost <= most.get(currency, Decimal(0)) for currency, cost in costs.items())


def _estimate(same: list[RunCosts], of_any: list[RunCosts]) -> Estimate:
    """Return the estimate from runs, those of the same version if they are enough; newest first, RUNS at most."""
    basis, chosen = ("version", same) if len(same) >= ENOUGH else ("process", of_any)
    if len(chosen) < ENOUGH:
        return Estimate(len(chosen))
    currencies = sorted({currency for costs in chosen for currency in costs})
    amounts = {each: sorted(costs.get(each, Decimal(0)) for costs in chosen) for each in currencies}
    return Estimate(len(chosen), _rank(amounts.items(), 0.5), _rank(amounts.items(), 0.9), basis)


def _rank(amounts: Iterable[tuple[str, list[Decimal]]], quantile: float) -> list[Amount]:
    return [Amount(f"{all[ceil(quantile * len(all)) - 1]:f}", currency) for currency, all in amounts]
