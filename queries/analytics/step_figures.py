"""Steps by the time they worked, the time they waited, or their cost, across versions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from domain.analytics.definitions import FEW
from queries.analytics.definition_texts import TEXTS
from queries.analytics.figures import StepFigures, StepsAnswer
from queries.analytics.links import LinkedExecutions
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import FiguresSource, RollupSums, rollups
from queries.analytics.run_figures import MEDIAN, P95
from queries.analytics.totals import MICROSECONDS, StepTotal

SLOWEST, MOST_EXPENSIVE, LONGEST_WAITING = "slowest", "most_expensive", "longest_waiting"
ORDERS = (SLOWEST, MOST_EXPENSIVE, LONGEST_WAITING)
MEASURES = ("median", "p95", "total")
MOST = 50

StepOfProcess = tuple[UUID, str, str]
"""(process, step, currency, which is empty for a time)"""
StepTotals = dict[StepOfProcess, StepTotal]
StepValues = tuple[float | None, float | None, float]
"""(median, p95, share)"""


def summarise_steps(
    source: FiguresSource, request: FiguresRequest, order: str, measure: str, *, min_position: int | None = None
) -> StepsAnswer:
    """Return the first steps in an order, one of ORDERS, by a measure, one of MEASURES. Raises NotYet."""
    window = request.window
    with rollups(source, request.filter, min_position) as (found, freshness):
        totals = _READ[order](found, (window.begin, window.end))
        names = found.names(sorted({id for id, _, _ in totals}))
        archived = sum(row["archived"] for row in found.archived((window.begin, window.end)))
    links, unit = request.links(window), 1.0 if order == MOST_EXPENSIVE else MICROSECONDS
    steps = [_figures(key, names, *row, unit, links) for key, row in _ranked(totals, measure)]
    return StepsAnswer(
        items=[step for step in steps if step.n >= FEW][:MOST],
        too_few=[step for step in steps if step.n < FEW][:MOST],
        archived=archived,
        order=order,
        measure=measure,
        window=request.shown(window),
        definitions=TEXTS,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _times(name: str) -> Callable[[RollupSums, Any], StepTotals]:
    def read(found: RollupSums, bounds: Any) -> StepTotals:
        totals: StepTotals = {}
        for row in found.steps(bounds, name):
            _add(totals, row, "", row["n"], row[name], row[f"{name}_sketch"])
        return totals

    return read


def _costs(found: RollupSums, bounds: Any) -> StepTotals:
    totals: StepTotals = {}
    for row in found.step_costs(bounds):
        if row["currency"]:
            _add(totals, row, row["currency"], row["priced"], row["amount"], row["sketch"])
    return totals


_READ: Mapping[str, Callable[[RollupSums, Any], StepTotals]] = {
    SLOWEST: _times("worked"),
    MOST_EXPENSIVE: _costs,
    LONGEST_WAITING: _times("waited"),
}


def _add(totals: StepTotals, row: Mapping[str, Any], currency: str, n: int, value: Any, sketches: bytes | None) -> None:
    total = totals.setdefault((row["process_id"], row["step"], currency), StepTotal())
    total.whole += value
    if row["completed"]:
        total.n += n
        total.total += value
        total.sketch.add(sketches or b"")


def _ranked(totals: StepTotals, measure: str) -> Iterator[tuple[StepOfProcess, tuple[StepTotal, StepValues]]]:
    """Yield the steps with any value, those with the greatest measure first."""
    import pandas as pd  # here, so that commands that count nothing start fast

    keys = sorted((key for key, total in totals.items() if total.n and total.total), key=lambda key: key[1:])
    if not keys:
        return
    whole: dict[str, float] = {}
    for (_, _, currency), total in totals.items():
        whole[currency] = whole.get(currency, 0.0) + float(total.whole)
    quantiles = [totals[key].sketch.quantiles(MEDIAN, P95) for key in keys]
    frame = pd.DataFrame(
        {
            "median": [median for median, _ in quantiles],
            "p95": [p95 for _, p95 in quantiles],
            "total": [float(totals[key].total) for key in keys],
            "whole": [float(totals[key].whole) for key in keys],
            "of": [whole[key[2]] for key in keys],
        }
    )
    frame["share"] = frame["whole"] / frame["of"]
    ranked = frame["share"].reindex(frame[measure].sort_values(ascending=False, kind="stable").index)
    for place, share in zip(ranked.index.to_list(), ranked.to_list(), strict=True):
        key = keys[place]
        yield key, (totals[key], (*quantiles[place], float(share)))


def _figures(
    key: StepOfProcess,
    names: Mapping[UUID, str],
    total: StepTotal,
    values: StepValues,
    unit: float,
    links: LinkedExecutions,
) -> StepFigures:
    process_id, step, currency = key
    median, p95, share = values
    behind = {"paid_step": step, "currency": currency} if currency else {"ran_step": step}
    return StepFigures(
        process_id=process_id,
        process=names.get(process_id, str(process_id)),
        step=step,
        n=total.n,
        median=None if median is None else median / unit,
        p95=None if p95 is None else p95 / unit,
        total=float(total.total) / unit,
        share=share,
        currency=currency or None,
        links={"n": links.of_process(str(process_id)).ended(**behind)},
    )
