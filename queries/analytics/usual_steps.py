"""How long one step of a process usually takes, by its successful runs of 30 days."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.analytics.definitions import FEW
from domain.analytics.windows import analytics_window
from queries.analytics.requests import DEFAULT_DAYS
from queries.analytics.rollups import ANALYTICS, JOINED
from queries.analytics.run_figures import MEDIAN
from queries.analytics.spans import SpanSums, periods
from queries.analytics.totals import MICROSECONDS, SketchTotal
from queries.exchange import Question
from queries.filters import Where
from queries.reading import Freshness

P90 = 0.9
WAITING_TYPES = frozenset(("human_approval", "sub_process", "timer"))
"""Steps of these types wait; all others work."""


class UsualStepTime(msgspec.Struct, frozen=True):
    """The time of `n` completed runs of a step, in seconds: the median, and what 9 in 10 stay within."""

    n: int
    median: float
    p90: float


def usual_step_time(process_id: UUID, step: str, type: str, now: datetime) -> Question[UsualStepTime | None]:
    """Return the question for the usual time of a step; the answer is None with fewer than five runs.

    The runs are those of 30 complete days and today, in UTC, of executions that ended, called ones too.
    """
    sketched = f"{'waited' if type in WAITING_TYPES else 'worked'}_sketch"
    where = Where()
    where.add("r.process_id = {}", process_id)
    where.add("r.step = {}", step)
    where.holds("r.completed")
    window = analytics_window(DEFAULT_DAYS, "UTC", now)
    of = periods((window.begin, window.end))
    query = SpanSums("analytics_steps", "", f"sum(r.n)::bigint as n, {JOINED.format(sketched)}", where).query(of.rows)

    def view(rows: list[DictRow], _: Freshness) -> UsualStepTime | None:
        sketch = SketchTotal()
        for row in rows:
            sketch.add(row[sketched] or b"")
        n = sum(row["n"] for row in rows)
        median, p90 = sketch.quantiles(MEDIAN, P90)
        if n < FEW or median is None or p90 is None:
            return None
        return UsualStepTime(n, median / MICROSECONDS, p90 / MICROSECONDS)

    return Question(ANALYTICS, query, of.given | where.parameters, view, binary=True)
