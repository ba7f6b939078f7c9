"""The costs of a process by day, by step and against its limits; and how good the estimates of its steps were."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.alerts.windows import DAILY, WINDOWED, CostWindow, window_of, windows_between
from queries.alerts import WindowView
from queries.amounts import Amount
from queries.definitions import Definitions
from queries.estimates import LEDGER, EstimateRecord, records_of
from queries.processes import get_process
from queries.reading import Reading, fetch
from queries.thresholds import ThresholdsView, ThresholdView, get_thresholds

DAYS = 30
"""So many complete days, and today."""
DEAREST = 10

_SPENT = f"""select grouping(l.step) = 1 as by_day, l.day, l.process, l.step, l.currency, sum(l.amount) as amount,
  sum(l.unpriced)::int as unpriced, (count(*) filter (where l.correction = 0))::int as costs
from (select width_bucket(at, %(begins)s::timestamptz[]) as day, process, step, currency, amount, unpriced, correction
  from cost_ledger where process_id = %(process)s and outermost = 1 and at >= %(begin)s and at < %(end)s) l
group by grouping sets ((l.day, l.currency), (l.process, l.step, l.currency))
order by by_day desc, amount desc, l.process, l.step limit {40 * (DAYS + 1)}"""
_TOTAL = """select coalesce(sum(amount), 0) as total from cost_ledger
where process_id = %s and currency = %s and outermost = 1 and at >= %s and at < %s"""


class DaySpent(msgspec.Struct, frozen=True):
    """The costs of the calls of one day. unpriced: those of no known amount."""

    window: WindowView  # type: ignore[valid-type] # `from` is a word of Python
    spent: list[Amount]
    unpriced: int


class StepSpent(msgspec.Struct, frozen=True):
    """The cost of a step within the days. process: that of the step, which may be a called one."""

    process: str
    step: str
    amount: str
    currency: str
    costs: int


class SpentOfLimit(msgspec.Struct, frozen=True):
    """The present day or week: its costs in the currency of the levels, so far."""

    kind: str
    window: WindowView  # type: ignore[valid-type] # `from` is a word of Python
    total: str
    currency: str
    levels: list[ThresholdView]


class ProcessCosts(msgspec.Struct, frozen=True):
    """The costs of a process, those of the executions that it called counted once.

    days: 30 complete days and today, by the midnight of `timezone`. dearest: the 10 steps that cost most within them.
    limits: the present windows. estimates: of each step that ever cost something, against its last 50 runs.
    """

    process_id: UUID
    timezone: str
    days: list[DaySpent]
    dearest: list[StepSpent]
    limits: list[SpentOfLimit]
    estimates: list[EstimateRecord]
    as_of_position: int
    lag_seconds: float


def get_process_costs(
    reading: Reading, definitions: Definitions, process_id: UUID, now: datetime, *, min_position: int | None = None
) -> ProcessCosts:
    """Return the costs of a process. Raises ProcessNotFound or NotYet."""
    version = get_process(reading, process_id, min_position=min_position).version
    thresholds = get_thresholds(reading, process_id, min_position=min_position)
    today = window_of(DAILY, now, thresholds.timezone)
    days = list(windows_between(DAILY, today.begin - timedelta(days=DAYS), now, thresholds.timezone))[-DAYS - 1 :]
    with reading.of(LEDGER, min_position) as (connection, freshness):
        given = {
            "process": process_id,
            "begins": [day.begin for day in days],
            "begin": days[0].begin,
            "end": days[-1].end,
        }
        rows = fetch(connection, _SPENT, given)
        limits = _limits(connection, thresholds, now)
        steps = [] if version is None else [step.id for step in definitions.steps(connection, process_id, version)]
        estimates = records_of(connection, process_id, version or 0, steps)
    spent: list[list[Amount]] = [[] for _ in days]
    unpriced = [0] * len(days)
    dearest: list[StepSpent] = []
    for row in rows:
        if row["by_day"]:
            n = row["day"] - 1
            unpriced[n] += row["unpriced"]
            if row["currency"]:
                spent[n].append(Amount(f"{row['amount']:f}", row["currency"]))
        elif row["currency"] and len(dearest) < DEAREST:
            dearest.append(StepSpent(row["process"], row["step"], f"{row['amount']:f}", row["currency"], row["costs"]))
    return ProcessCosts(
        process_id,
        thresholds.timezone,
        [DaySpent(_view(day), each, n) for day, each, n in zip(days, spent, unpriced, strict=True)],
        dearest,
        limits,
        estimates,
        freshness.as_of_position,
        freshness.lag_seconds,
    )


def spent_of_limits(reading: Reading, thresholds: ThresholdsView, now: datetime) -> list[SpentOfLimit]:
    """Return what is spent of the limits of the present windows. Raises ReadModelRebuilding."""
    with reading.of(LEDGER) as (connection, _):
        return _limits(connection, thresholds, now)


def _limits(connection: Connection[Any], thresholds: ThresholdsView, now: datetime) -> list[SpentOfLimit]:
    found: list[SpentOfLimit] = []
    for kind in WINDOWED:
        levels: list[ThresholdView] = getattr(thresholds, kind)
        if levels:
            window, currency = window_of(kind, now, thresholds.timezone, thresholds.week_starts), levels[0].currency
            given = thresholds.process_id, currency, window.begin, window.end
            (row,) = fetch(connection, _TOTAL, given)
            found.append(SpentOfLimit(kind, _view(window), f"{row['total']:f}", currency, levels))
    return found


def _view(window: CostWindow) -> Any:
    return WindowView(window.begin.astimezone(UTC), window.end.astimezone(UTC), window.timezone)
