"""The usual duration and cost of an execution of a process, for what is to come and what runs."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from domain.analytics.definitions import FEW
from domain.analytics.windows import analytics_window
from queries.amounts import Amount
from queries.analytics.requests import DEFAULT_DAYS, FiguresFilter
from queries.analytics.rollups import rollups
from queries.analytics.run_figures import MEDIAN, add_runs
from queries.analytics.totals import RunTotal, round_amount, written
from queries.reading import Reading, ReadModelRebuilding


class UsualFigures(msgspec.Struct, frozen=True):
    """Medians of the completed executions of 30 complete days and today, in UTC, that no other one started.

    duration: in seconds; cost: an amount a currency; None: fewer than five, or none with a price for all it used.
    """

    duration: float | None = None
    cost: list[Amount] | None = None


UNKNOWN = UsualFigures()


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


def _usual(total: RunTotal) -> UsualFigures:
    duration = total.quantiles(MEDIAN)[0] if total.completed >= FEW else None
    costs = [
        Amount(written(round_amount(median)), currency)
        for currency, cost in sorted(total.costs.items())
        if cost.priced >= FEW and (median := cost.sketch.quantiles(MEDIAN)[0]) is not None
    ]
    return UsualFigures(duration, costs or None)
