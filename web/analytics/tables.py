"""The tables of analytics as rows of CSV."""

from collections.abc import Iterable

from queries.analytics.figures import FailureReason, RunFigures, StepFigures, TrendDay
from web.csv_tables import Row

RUN_COLUMNS = (
    "ended", "completed", "failed", "timed_out", "cancelled", "running", "success_rate", "duration_mean",
    "duration_median", "duration_p95", "working", "waiting", "retrying", "currency", "cost_mean", "cost_median",
    "cost_p95", "cost_total", "priced", "of",
)  # fmt: skip
STEP_COLUMNS = ("process", "step", "n", "median", "p95", "total", "share", "currency")
DAY_COLUMNS = ("day", "partial", "completed", "failed", "timed_out", "cancelled", "duration_median", "currency", "cost")
FAILURE_COLUMNS = ("code", "step", "count", "share")


def run_rows(named: Iterable[tuple[object, RunFigures]]) -> Iterable[Row]:
    """Yield a row a name and currency; a name without costs has one row."""
    for name, each in named:
        took = each.duration
        counts = (each.ended, each.completed, each.failed, each.timed_out, each.cancelled, each.running)
        times = (took.mean, took.median, took.p95, took.working, took.waiting, took.retrying)
        shown = (name, *counts, each.success_rate, *times)
        for cost in each.cost:
            yield (*shown, cost.currency, cost.mean, cost.median, cost.p95, cost.total, cost.priced, cost.of)
        if not each.cost:
            yield (*shown, *[None] * 7)


def step_rows(steps: Iterable[StepFigures]) -> Iterable[Row]:
    """Yield a row a step."""
    return ([getattr(each, column) for column in STEP_COLUMNS] for each in steps)


def day_rows(days: Iterable[TrendDay]) -> Iterable[Row]:
    """Yield a row a day and currency; a day without costs has one row."""
    for each in days:
        shown = [getattr(each, column) for column in DAY_COLUMNS[:-2]]
        yield from ((*shown, cost.currency, cost.amount) for cost in each.cost)
        if not each.cost:
            yield (*shown, None, None)


def failure_rows(reasons: Iterable[FailureReason]) -> Iterable[Row]:
    """Yield a row a reason."""
    return ([getattr(each, column) for column in FAILURE_COLUMNS] for each in reasons)
