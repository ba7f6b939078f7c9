"""The usual duration and cost of an execution of a process, for what is to come and what runs."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.analytics.definitions import FEW
from domain.analytics.grains import DAY, begin_of
from domain.analytics.windows import analytics_window
from queries.amounts import Amount
from queries.analytics.requests import DEFAULT_DAYS, FiguresFilter
from queries.analytics.rollups import ANALYTICS, JOINED, rollups
from queries.analytics.run_figures import MEDIAN, add_runs
from queries.analytics.spans import SpanSums, periods
from queries.analytics.totals import MICROSECONDS, RunTotal, SketchTotal, round_amount, written
from queries.exchange import Question
from queries.filters import Where
from queries.reading import Freshness, Reading, ReadModelRebuilding
from store.arrays import uuids


class UsualFigures(msgspec.Struct, frozen=True):
    """Medians of the completed executions of 30 complete days and today, in UTC, that no other one started.

    duration: in seconds; cost: an amount a currency; None: fewer than five, or none with a price for all it used.
    """

    duration: float | None = None
    cost: list[Amount] | None = None


UNKNOWN = UsualFigures()
_DURATIONS = f"sum(r.completed)::bigint as completed, {JOINED.format('sketch')}"


def usual_figures(reading: Reading, process_ids: Collection[UUID]) -> dict[UUID, UsualFigures]:
    """Return the usual figures of each process with any; none while the read model is built."""
    if not process_ids:
        return {}
    totals: dict[UUID, RunTotal] = {}
    try:
        with rollups(reading, FiguresFilter(tuple(process_ids))) as (found, _):
            window = analytics_window(DEFAULT_DAYS, "UTC", found.now())
            bounds = (window.begin, window.end)
            for row in found.runs(bounds, "r.process_id"):
                add_runs(totals.setdefault(row["process_id"], RunTotal()), row)
            for row in found.run_costs(bounds, "r.process_id"):
                total = totals.setdefault(row["process_id"], RunTotal()).cost(row["currency"])
                total.add(row["of"], row["priced"], row["amount"], row["sketch"] or b"")
    except ReadModelRebuilding:
        return {}
    return {process_id: _usual(total) for process_id, total in totals.items()}


def usual_durations(process_ids: Collection[UUID], now: datetime) -> Question[dict[UUID, float]]:
    """Return the question for the usual duration in seconds of each process that has one. now: the end of the 30 days.

    The sketches of each are added up by process, and the costs are left alone: a page shows the durations of a few.
    """
    where = Where()
    where.holds("not r.called")
    where.add("r.process_id = any({}::uuid[])", uuids(list(process_ids)))
    today = begin_of(now, DAY)
    of = periods((today - DEFAULT_DAYS * DAY, today + DAY))
    query = SpanSums("analytics_runs", "r.process_id", _DURATIONS, where).query(of.rows)

    def view(rows: list[DictRow], _: Freshness) -> dict[UUID, float]:
        found: dict[UUID, float] = {}
        for row in rows:
            sketch = SketchTotal()
            sketch.add(row["sketch"] or b"")
            [median] = sketch.quantiles(MEDIAN)
            if row["completed"] >= FEW and median is not None:
                found[row["process_id"]] = median / MICROSECONDS
        return found

    return Question(ANALYTICS, query, of.given | where.parameters, view, binary=True)


def _usual(total: RunTotal) -> UsualFigures:
    duration = total.quantiles(MEDIAN)[0] if total.completed >= FEW else None
    costs = [
        Amount(written(round_amount(median)), currency)
        for currency, cost in sorted(total.costs.items())
        if cost.priced >= FEW and (median := cost.sketch.quantiles(MEDIAN)[0]) is not None
    ]
    return UsualFigures(duration, costs or None)
