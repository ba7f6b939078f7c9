"""Figures for monitoring: positions, lags and the lengths of lists, read by one statement when a scraper comes."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

import msgspec

from domain.schedules.due import OVERDUE
from queries.agent_limits import PAUSED
from queries.ahead import age_of
from queries.reading import Reading, fetch
from store.connections import Outage

MOST = 10_000
LATE = "interval '1 minute'"
# Counts follow an index in its order and end at MOST, whatever the statistics of tables that fill and empty say.
BY_ORDER = """select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true)"""


class Measure(msgspec.Struct, frozen=True):
    """One figure. name: of the metric, without its prefix. text: for people. query: an SQL expression."""

    name: str
    text: str
    query: str


def counted(rows: str) -> str:
    """Return the expression that counts the rows of ``from … order by …``, at most MOST."""
    return f"(select count(*) from (select {rows} limit {MOST}) as counted)"


def age(first: str) -> str:
    """Return the expression for the seconds since the time that ``select …`` finds; 0 for none, or a later one."""
    return f"coalesce((select greatest(0, extract(epoch from now() - ({first})))), 0)"


DUE = "from due_steps where owner is null"
# Each counts rows under an index. A new list adds a line here.
MEASURES: tuple[Measure, ...] = (
    Measure("log_position", "Position of the newest event.", "(select max(notification_id) from stored_events)"),
    Measure("due_steps", "Steps that wait for a worker.", counted(f"{DUE} order by due_at")),
    Measure(
        "overdue_steps",
        "Steps that have waited for a worker for more than a minute.",
        counted(f"{DUE} and due_at < now() - {LATE} order by due_at"),
    ),
    Measure(
        "oldest_due_step_seconds",
        "How long the oldest step has waited for a worker.",
        age(f"select due_at {DUE} order by due_at limit 1"),
    ),
    Measure(
        "claimed_steps",
        "Attempts that a worker has claimed: open calls, and calls that are about to begin.",
        counted("from due_steps where owner is not null order by owner"),
    ),
    Measure("paused_agents", "Agents that no worker calls for a time, as their Retry-After says.", PAUSED),
    Measure(
        "set_aside",
        "Executions and cost alerts that are set aside, because no decision about them succeeds.",
        counted("from set_aside order by next_try"),
    ),
    Measure(
        "overdue_timers",
        "Timers that are due and have not fired.",
        counted("from due_timers where due_at < now() order by due_at"),
    ),
    Measure(
        "oldest_overdue_timer_seconds",
        "How late the timer is that is due for the longest time.",
        age("select due_at from due_timers where due_at < now() order by due_at limit 1"),
    ),
    Measure(
        "overdue_schedules",
        "Schedules that are overdue: no worker has accounted for what was due.",
        counted("from due_schedules where due_at < now() - %(overdue_after)s::interval order by due_at"),
    ),
    Measure(
        "messages",
        "Messages to executions and agents that are not handled yet.",
        counted("from outbox order by due_at, source, version"),
    ),
    Measure(
        "oldest_message_seconds",
        "Age of the oldest message that is not handled yet.",
        age("select due_at from outbox order by due_at, source, version limit 1"),
    ),
    Measure(
        "queued_executions",
        "Executions that wait for a concurrency slot.",
        counted("from admissions where not running order by process_id, key, rank, position"),
    ),
    Measure(
        "live_workers",
        "Workers whose lease has not run out.",
        "(select count(*) from workers where lease_until > now())",
    ),
    Measure(
        "commit_wait_seconds",
        "How long the oldest commit has waited for a synchronous standby.",
        "(select extract(epoch from max(now() - state_change)) from pg_stat_activity where wait_event = 'SyncRep')",
    ),
    Measure(
        "database_connections",
        "Connections of all programs to the server of the database.",
        "(select count(pid) from pg_stat_activity where backend_type = 'client backend')",
    ),
    Measure(
        "database_connections_limit",
        "Connections that the server of the database takes (max_connections).",
        "current_setting('max_connections')::int",
    ),
)


def _columns(measures: Iterable[Measure]) -> str:
    return ", ".join(f"coalesce({measure.query}, 0)::float8 as {measure.name}" for measure in measures)


_FIGURES = _columns(MEASURES)
_READ_MODELS = f"""select p.name, coalesce(t.notification_id, 0) as position, p.failure is not null as failed,
    substring(next.state from 1 for 100) as next, dead.letters
  from projections p
  left join notification_tracking t on t.application_name = p.name
  left join lateral (select state from stored_events where notification_id > coalesce(t.notification_id, 0)
    order by notification_id limit 1) next on true
  cross join lateral (select count(*) as letters from (
    select from dead_letters d where projection = p.name and not exists (
      select from skipped_letters s where s.projection = d.projection and s.position = d.position)
    order by projection, position limit {MOST}) as letter) dead"""
_ALL = f"select figures.*, model.* from (select {_FIGURES}) as figures left join ({_READ_MODELS}) as model on true"


class ReadModelFigures(msgspec.Struct, frozen=True):
    """One read model. lag: in positions, and as the age of the first event that it does not hold."""

    name: str
    position: int
    lag: int
    lag_seconds: float
    failed: bool
    dead_letters: int


class Figures(msgspec.Struct, frozen=True):
    """values: by the name of the measure; a count of MOST stands for MOST or more."""

    values: dict[str, float]
    read_models: list[ReadModelFigures]


def get_figures(reading: Reading, overdue_after: timedelta = OVERDUE) -> Figures:
    """Return every figure, from the main server, in one round trip. Raises Outage.

    overdue_after: schedules that have been due for longer are overdue.
    """
    with reading.progress.main.reading() as connection, connection.pipeline(), connection.transaction():
        connection.execute(BY_ORDER, prepare=True)
        rows = fetch(connection, _ALL, {"overdue_after": overdue_after})
    values = {measure.name: rows[0][measure.name] for measure in MEASURES}
    head = int(values["log_position"])
    return Figures(values, [_read_model(row, head) for row in rows if row["name"] is not None])


def get_replica_lag(reading: Reading) -> float | None:
    """Return the age in seconds of the first event that the replica lacks; None while it, or one, is not there."""
    if reading.replica is None or reading.ahead is None or reading.replica.down:
        return None
    try:
        with reading.log() as (_, freshness):
            return freshness.lag_seconds
    except Outage:
        return None


def get_measures(reading: Reading, names: Collection[str]) -> dict[str, float]:
    """Return some figures that need no setting, by name, from the main server. Raises Outage."""
    chosen = [measure for measure in MEASURES if measure.name in names]
    # The statements of a pipeline are one transaction, of which BY_ORDER is a part.
    with reading.progress.main.reading() as connection, connection.pipeline():
        connection.execute(BY_ORDER, prepare=True)
        return fetch(connection, f"select {_columns(chosen)}", ())[0]


def _read_model(row: dict[str, Any], head: int) -> ReadModelFigures:
    return ReadModelFigures(
        row["name"],
        row["position"],
        max(0, head - row["position"]),
        age_of(row["next"]),
        row["failed"],
        row["letters"],
    )
