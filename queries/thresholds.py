"""The cost thresholds of a process, from the log; and which alerts a proposed one would have raised."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from domain.alerts.thresholds import CostRule, ThresholdTerms, fold
from domain.alerts.windows import DAILY, PER_EXECUTION, CostWindow, windows_between
from domain.identity import thresholds_id
from domain.refusal import ProcessNotFound
from queries.alerts import CrossingView, WindowView
from queries.reading import Reading, fetch
from store.mapper import decode

LEDGER = "cost_ledger"
LONGEST_DAYS = 366
MOST_SIMULATED = 1_000
_STREAM = "select topic, state from stored_events where originator_id = %s order by originator_version"
_NAMED = "select 1 as found from stored_events where originator_id = %s and originator_version = 1"
_WINDOWS = """
select w.n, c.* from unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) with ordinality as w(b, e, n)
cross join lateral (
  select position, execution_id, step, recorded_at, after - amount as before, after from (
    select l.position, l.execution_id, l.step, l.recorded_at, l.amount,
      sum(l.amount) over (order by l.position) as after
    from cost_ledger l where l.process_id = %(process)s and l.currency = %(currency)s and l.outermost = 1
      and l.at >= w.b and l.at < w.e and (l.correction = 0 or l.recorded_at < w.e)) running
  where after >= %(amount)s order by position limit 1) c
order by w.n"""
_TOTALS = """
select w.n, coalesce(c.total, 0) as total
from unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) with ordinality as w(b, e, n)
left join lateral (
  select sum(l.amount) as total from cost_ledger l where l.process_id = %(process)s and l.currency = %(currency)s
    and l.outermost = 1 and l.at >= w.b and l.at < w.e) c on true
order by w.n"""
_EXECUTIONS = """
select * from (
  select distinct on (run_id) run_id, position, execution_id, step, recorded_at, after - amount as before, after from (
    select l.run_id, l.position, l.execution_id, l.step, l.recorded_at, l.amount,
      sum(l.amount) over (partition by l.run_id order by l.position) as after
    from cost_ledger l where l.process_id = %(process)s and l.currency = %(currency)s and l.at >= %(begin)s
      and l.at < %(end)s) running
  where after >= %(amount)s order by run_id, position) first
order by position limit %(most)s"""


class ThresholdView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One level. amount: a decimal. warn_at: the fraction of it that warns. on_alert: the act at the alert."""

    amount: str
    currency: str
    warn_at: float | None = None
    on_alert: str | None = None


class ThresholdsView(msgspec.Struct, frozen=True):
    """The cost thresholds of a process by kind, each empty without one.

    sources: by kind, ``version`` or ``command``. A later publication whose `costs` differ replaces all of them.
    """

    process_id: UUID
    per_execution: list[ThresholdView]
    daily: list[ThresholdView]
    weekly: list[ThresholdView]
    timezone: str
    week_starts: str
    sources: dict[str, str]


class SimulatedAlert(msgspec.Struct, frozen=True):
    """An alert that would have been raised. window: of a day or a week; execution_id: of an execution."""

    at: datetime
    crossing: CrossingView
    before: str
    after: str
    window: WindowView | None  # type: ignore[valid-type] # `from` is a word of Python
    execution_id: UUID | None = None


class WindowTotal(msgspec.Struct, frozen=True):
    """The costs of a window."""

    window: WindowView  # type: ignore[valid-type] # `from` is a word of Python
    total: str


class Simulation(msgspec.Struct, frozen=True):
    """The alerts in order, at most 1,000. totals: of every window of the days, for a day or a week."""

    items: list[SimulatedAlert]
    count: int
    totals: list[WindowTotal]
    as_of_position: int
    lag_seconds: float


class ProposedThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold to try out over the last `days` days. kind: ``per_execution``, ``daily`` or ``weekly``."""

    process_id: UUID
    kind: str
    amount: Decimal
    currency: str
    timezone: str = "UTC"
    week_starts: str = "monday"
    days: int = 30


def get_thresholds(reading: Reading, process_id: UUID, *, min_position: int | None = None) -> ThresholdsView:
    """Return the thresholds in force. Raises ProcessNotFound or NotYet."""
    with reading.log(min_position) as (connection, _):
        if not fetch(connection, _NAMED, (process_id,)):
            raise ProcessNotFound(f"there is no process {process_id}")
        rows = connection.execute(_STREAM, (thresholds_id(process_id),)).fetchall()
    rules = fold(decode(row["topic"], row["state"]) for row in rows).rules
    latest = max(rules.values(), key=lambda each: each.rule, default=None)
    return ThresholdsView(
        process_id,
        _levels(rules.get(PER_EXECUTION)),
        _levels(rules.get(DAILY)),
        _levels(rules.get("weekly")),
        latest.timezone if latest else ThresholdTerms().timezone,
        latest.week_starts if latest else ThresholdTerms().week_starts,
        {kind: rule.source for kind, rule in rules.items()},
    )


def simulate_threshold(
    reading: Reading, proposed: ProposedThreshold, now: datetime, *, min_position: int | None = None
) -> Simulation:
    """Return which alerts a threshold would have raised over the last days; raise none. Raises NotYet."""
    begin = now - timedelta(days=proposed.days)
    given: dict[str, Any] = {
        "process": proposed.process_id,
        "currency": proposed.currency,
        "amount": proposed.amount,
        "begin": begin,
        "end": now,
        "most": MOST_SIMULATED,
    }
    windows: list[CostWindow] = []
    if proposed.kind != PER_EXECUTION:
        windows = list(windows_between(proposed.kind, begin, now, proposed.timezone, proposed.week_starts))
        given |= {"begins": [each.begin for each in windows], "ends": [each.end for each in windows]}
    with reading.of(LEDGER, min_position) as (connection, freshness):
        rows = fetch(connection, _WINDOWS if windows else _EXECUTIONS, given)
        totals = fetch(connection, _TOTALS, given) if windows else []
    items = [
        SimulatedAlert(
            row["recorded_at"],
            CrossingView(row["position"], row["execution_id"], row["step"]),
            format(row["before"], "f"),
            format(row["after"], "f"),
            _window(windows[row["n"] - 1]) if windows else None,
            None if windows else row["run_id"],
        )
        for row in rows
    ]
    sums = [WindowTotal(_window(windows[row["n"] - 1]), format(row["total"], "f")) for row in totals]
    return Simulation(items, len(items), sums, freshness.as_of_position, freshness.lag_seconds)


def _window(window: CostWindow) -> Any:
    return WindowView(window.begin.astimezone(UTC), window.end.astimezone(UTC), window.timezone)


def _levels(rule: CostRule | None) -> list[ThresholdView]:
    return [
        ThresholdView(
            format(level.amount, "f"),
            level.currency,
            None if level.warn_at is None else float(level.warn_at),
            level.on_alert or None,
        )
        for level in (rule.levels if rule else ())
    ]
