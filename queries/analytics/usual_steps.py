"""How long one step of a process usually takes, by its successful runs of 30 days."""

from uuid import UUID

import msgspec

from domain.analytics.definitions import FEW
from domain.analytics.windows import analytics_window
from queries.analytics.requests import DEFAULT_DAYS, FiguresFilter
from queries.analytics.rollups import rollups
from queries.analytics.run_figures import MEDIAN
from queries.analytics.totals import MICROSECONDS, SketchTotal
from queries.reading import Reading, ReadModelRebuilding

P90 = 0.9
WAITING_TYPES = frozenset(("human_approval", "sub_process", "timer"))
"""Steps of these types wait; all others work."""


class UsualStepTime(msgspec.Struct, frozen=True):
    """The time of `n` completed runs of a step, in seconds: the median, and what 9 in 10 stay within."""

    n: int
    median: float
    p90: float


def usual_step_time(reading: Reading, process_id: UUID, step: str, type: str) -> UsualStepTime | None:
    """Return the usual time of a step; None with fewer than five runs, and while the read model is built.

    The runs are those of 30 complete days and today, in UTC, of executions that ended, called ones too.
    """
    time, n, sketch = "waited" if type in WAITING_TYPES else "worked", 0, SketchTotal()
    try:
        with rollups(reading, FiguresFilter((process_id,), include_children=True)) as (found, _):
            window = analytics_window(DEFAULT_DAYS, "UTC", found.now())
            for row in found.step((window.begin, window.end), time, step):
                n += row["n"]
                sketch.add(row[f"{time}_sketch"] or b"")
    except ReadModelRebuilding:
        return None
    median, p90 = sketch.quantiles(MEDIAN, P90)
    if n < FEW or median is None or p90 is None:
        return None
    return UsualStepTime(n, median / MICROSECONDS, p90 / MICROSECONDS)
