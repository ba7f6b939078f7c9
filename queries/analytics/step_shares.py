"""The figures of the steps of one process over the last 30 days: median times, median costs, or failed executions."""

from datetime import datetime
from uuid import UUID

from queries.analytics.requests import FiguresFilter, FiguresRequest
from queries.analytics.rollups import rollups
from queries.analytics.step_figures import MOST_EXPENSIVE, SLOWEST, summarise_steps
from queries.reading import Reading


def step_medians(
    reading: Reading, process_id: UUID, now: datetime, timezone: str, *, costs: bool
) -> dict[str, tuple[float, str]]:
    """Return the median time in seconds, or cost, of the first steps by it, with its currency; empty for a time.

    Of a step with costs in several currencies, the one in which most executions paid.
    """
    found = summarise_steps(
        reading, _request(process_id, now, timezone), MOST_EXPENSIVE if costs else SLOWEST, "median"
    )
    every = sorted((*found.items, *found.too_few), key=lambda step: step.n)
    return {step.step: (step.median, step.currency or "") for step in every if step.median is not None}


def step_failures(reading: Reading, process_id: UUID, now: datetime, timezone: str) -> dict[str, int]:
    """Return the numbers of executions that failed, by the step at which they did."""
    request = _request(process_id, now, timezone)
    window = request.window
    with rollups(reading, request.filter) as (found, _):
        rows = found.failures((window.begin, window.end))
    counts: dict[str, int] = {}
    for row in rows:
        if row["step"]:
            counts[row["step"]] = counts.get(row["step"], 0) + row["n"]
    return counts


def _request(process_id: UUID, now: datetime, timezone: str) -> FiguresRequest:
    of_process = FiguresFilter((process_id,), include_children=True)
    return FiguresRequest(now, timezone=timezone, filter=of_process)
