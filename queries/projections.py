"""Projections: how far each read model is, and how it is."""

import zlib
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from queries.reading import Reading, age_of, fetch

_PROJECTIONS = """
select p.name, coalesce(t.notification_id, 0) as position, head.position as head, p.built_at, p.failure, p.failed_at,
  substring(next.state from 1 for 100) as next, dead.letters, dead.error
from projections p
cross join (select coalesce(max(notification_id), 0) as position from stored_events) head
left join notification_tracking t on t.application_name = p.name
left join lateral (select state from stored_events where notification_id > coalesce(t.notification_id, 0)
  order by notification_id limit 1) next on true
cross join lateral (select count(*) as letters, (array_agg(error order by position desc))[1] as error
  from dead_letters d where d.projection = p.name) dead
order by p.name"""
_HELD = """select objid::bigint as key from pg_locks where locktype = 'advisory' and classid::bigint = %s and granted
  and database = (select oid from pg_database where datname = current_database())"""

# The advisory lock that whoever runs a projection holds on the main server.
RUNNER_LOCK = 4713
PAGE = 5_000


class Lag(msgspec.Struct, frozen=True):
    """How far one read model is behind: positions, and age of the first event it has not seen. failed: stands still."""

    lag: int
    lag_seconds: float
    failed: bool


class ProjectionView(msgspec.Struct, frozen=True):
    """A read model.

    lag: positions of the log it has not seen. lag_seconds: age of the first event it has not seen.
    state: ``running``, ``catching_up``, ``failed`` (it stands still, see last_error), or ``unattended``: no projector
    runs it. dead_letters: events it could not digest. last_error: why it stands
    still, else what was wrong with the newest of those.
    """

    name: str
    position: int
    lag: int
    lag_seconds: float
    state: str
    dead_letters: int
    last_error: str | None
    failed_at: datetime | None
    built_at: datetime


class ProjectionsView(msgspec.Struct, frozen=True):
    """Every read model. as_of_position: the end of the log."""

    items: list[ProjectionView]
    as_of_position: int
    lag_seconds: float


def list_projections(reading: Reading) -> ProjectionsView:
    """Every read model by name. Raises Outage."""
    with reading.log() as (connection, freshness):
        rows = fetch(connection, _PROJECTIONS)
    # A replica shows no locks of the main server.
    with reading.progress.main.reading() as connection:
        held = {row["key"] for row in fetch(connection, _HELD, (RUNNER_LOCK,))}
    items = [_view(row, lock_key(row["name"]) in held) for row in rows]
    lag_seconds = max((item.lag_seconds for item in items), default=0.0)
    return ProjectionsView(items, freshness.as_of_position, lag_seconds)


def read_lags(connection: Connection[Any]) -> dict[str, Lag]:
    """How far every read model is behind, by name."""
    return {row["name"]: _lag(row) for row in fetch(connection, _PROJECTIONS)}


def lock_key(name: str) -> int:
    """The number under which a projector holds the read model `name`, as PostgreSQL shows it."""
    return (zlib.crc32(name.encode()) - 2**31) % 2**32


def _lag(row: DictRow) -> Lag:
    return Lag(max(0, row["head"] - row["position"]), age_of(row["next"]), row["failure"] is not None)


def _view(row: DictRow, held: bool) -> ProjectionView:
    lag = _lag(row)
    state = "failed" if lag.failed else "unattended" if not held else "catching_up" if lag.lag > PAGE else "running"
    return ProjectionView(
        row["name"],
        row["position"],
        lag.lag,
        lag.lag_seconds,
        state,
        row["letters"],
        row["failure"] or row["error"],
        row["failed_at"],
        row["built_at"],
    )
