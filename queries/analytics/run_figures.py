"""The figures of executions, worked out from totals."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from psycopg.rows import DictRow

from queries.analytics.changes import change
from queries.analytics.figures import CostFigures, DurationFigures, FigureChange, SpentFigures
from queries.analytics.links import LinkedExecutions
from queries.analytics.totals import CostTotal, RunTotal, round_amount, written

BEFORE, COMPLETE, TODAY = range(3)
WAITS = ("waiting_queue", "waiting_timer", "waiting_approval", "waiting_child")
MEDIAN, P95 = 0.5, 0.95


class FiguresOfRuns(TypedDict):
    """The fields of RunFigures."""

    ended: int
    archived: int
    completed: int
    failed: int
    timed_out: int
    cancelled: int
    running: int
    success_rate: float | None
    duration: DurationFigures
    cost: list[CostFigures]
    spent: list[SpentFigures]
    changes: dict[str, FigureChange]
    links: dict[str, str]


class PeriodTotals:
    """Totals of the period before, of the complete days, and of the window, which has today too."""

    def __init__(self) -> None:
        self.before, self.complete, self.window = RunTotal(), RunTotal(), RunTotal()

    def of(self, row: Mapping[str, Any]) -> tuple[RunTotal, ...]:
        """Return the totals that a row of rollups belongs to."""
        if row["period"] == BEFORE:
            return (self.before,)
        return (self.complete, self.window) if row["period"] == COMPLETE else (self.window,)

    def add(self, runs: Iterable[DictRow], costs: Iterable[DictRow], spending: Iterable[DictRow]) -> "PeriodTotals":
        """Add rows of the rollups."""
        for row in runs:
            for total in self.of(row):
                add_runs(total, row)
        for row in costs:
            for total in self.of(row):
                total.cost(row["currency"]).add(row["of"], row["priced"], row["amount"], row["sketch"] or b"")
        for row in spending:
            for total in self.of(row):
                total.spend(row["currency"], row["amount"])
        return self


def add_runs(total: RunTotal, row: Mapping[str, Any]) -> None:
    """Add a row of executions that ended."""
    total.count(row)
    for name in RunTotal.TIMES:
        total.times[name] += row[name]
    total.sketch.add(row["sketch"] or b"")


def figures_of(totals: PeriodTotals, running: int, links: LinkedExecutions, archived: int = 0) -> FiguresOfRuns:
    """Return the figures of some executions. archived: how many of those that ended are."""
    shown = totals.window
    now, before = totals.complete, totals.before
    return {
        "ended": shown.ended,
        "archived": archived,
        "completed": shown.completed,
        "failed": shown.failed,
        "timed_out": shown.timed_out,
        "cancelled": shown.cancelled,
        "running": running,
        "success_rate": shown.success_rate,
        "duration": _durations(shown),
        "cost": [_cost(currency, totals, links) for currency in _currencies(totals)],
        "spent": [
            SpentFigures(
                currency,
                written(shown.spent.get(currency, Decimal(0))),
                change("spent", now.spent.get(currency, 0), before.spent.get(currency, 0)),
                links.spent(currency),
            )
            for currency in sorted({*shown.spent, *before.spent})
        ],
        "changes": _changes(now, before),
        "links": {**links.outcomes(), "running": links.running()},
    }


def _durations(total: RunTotal) -> DurationFigures:
    median, p95 = total.quantiles(MEDIAN, P95)
    return DurationFigures(
        n=total.completed,
        mean=total.mean("duration"),
        median=median,
        p95=p95,
        working=total.mean("working"),
        retrying=total.mean("retrying"),
        waiting=total.mean(*WAITS),
        waiting_queue=total.mean("waiting_queue"),
        waiting_timer=total.mean("waiting_timer"),
        waiting_approval=total.mean("waiting_approval"),
        waiting_child=total.mean("waiting_child"),
    )


def _changes(now: RunTotal, before: RunTotal) -> dict[str, FigureChange]:
    (median, p95), (median_before, p95_before) = now.quantiles(MEDIAN, P95), before.quantiles(MEDIAN, P95)
    return {
        "ended": change("ended", now.ended, before.ended),
        "failed": change("failed", now.failed, before.failed),
        "success_rate": change("success_rate", now.success_rate, before.success_rate),
        "duration_mean": change("duration", now.mean("duration"), before.mean("duration")),
        "duration_median": change("duration", median, median_before),
        "duration_p95": change("duration", p95, p95_before),
    }


def _currencies(totals: PeriodTotals) -> Sequence[str]:
    """Return the currencies of costs; an empty one where no execution has a price for everything it used."""
    found = sorted({*totals.window.costs, *totals.before.costs} - {""})
    return found or ([""] if "" in totals.window.costs else [])


def _cost(currency: str, totals: PeriodTotals, links: LinkedExecutions) -> CostFigures:
    shown, now, before = (
        each.costs.get(currency, CostTotal()) for each in (totals.window, totals.complete, totals.before)
    )
    median, p95 = shown.sketch.quantiles(MEDIAN, P95)
    of_nothing = totals.window.costs.get("") if currency else None
    medians = [each.sketch.quantiles(MEDIAN)[0] for each in (now, before)]
    return CostFigures(
        currency=currency,
        mean=_amount(shown.mean),
        median=_amount(median),
        p95=_amount(p95),
        total=written(shown.amount),
        priced=shown.priced,
        of=shown.of + (of_nothing.of if of_nothing else 0),
        changes={
            "mean": change("cost", now.mean, before.mean),
            "median": change("cost", *medians),
            "total": change("cost_total", now.amount, before.amount),
        },
        links=links.costs(currency),
    )


def _amount(value: Any) -> str | None:
    return None if value is None else written(round_amount(value))
