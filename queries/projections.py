"""Projections: the position and state of each read model, and the progress of its next tables."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from queries.ahead import Ahead, age_of
from queries.reading import Reading, fetch

# The parameter: the digest that this release can read, by name. Builds of other shapes are not its own.
_PROJECTIONS = """
select p.name, coalesce(t.notification_id, 0) as position, head.position as head, p.built_at, p.failure, p.failed_at,
  substring(next.state from 1 for 100) as next, dead.letters, dead.error,
  p.digest = coalesce(shape.digest, p.digest) as readable, r.digest is not null as replaced,
  b.position as built_position, b.target as built_target, b.failure as build_failure, b.begun_at
from projections p
cross join lateral (select %s::jsonb ->> p.name as digest) shape
cross join (select coalesce(max(notification_id), 0) as position from stored_events) head
left join notification_tracking t on t.application_name = p.name
left join read_table_builds b on b.projection = p.name and b.slot = 'building'
  and b.digest = coalesce(shape.digest, b.digest)
left join replaced_read_tables r on r.projection = p.name and r.digest = shape.digest
left join lateral (select state from stored_events where notification_id > coalesce(t.notification_id, 0)
  order by notification_id limit 1) next on true
cross join lateral (select count(*) as letters, (array_agg(error order by position desc))[1] as error
  from dead_letters d where d.projection = p.name and not exists (
    select from skipped_letters s where s.projection = d.projection and s.position = d.position)) dead
order by p.name"""
_HELD = """select classid::bigint as lock, objid::bigint as key from pg_locks
  where locktype = 'advisory' and classid::bigint = any(%s) and granted
  and database = (select oid from pg_database where datname = current_database())"""

# The advisory locks, on the main server, of the process that runs a projection and of the one that builds its tables.
RUNNER_LOCK, REBUILD_LOCK = 4713, 4714
PAGE = 5_000

_REPLACED = (
    "{name} has the tables of another release, which took the place of this one's; "
    "`procession projections rebuild {name}` puts this release's in their place"
)
_WAITS = "{name} has the tables of another release; a projector of this release builds its own beside them"


class Building(msgspec.Struct, frozen=True):
    """Tables built beside those in use. position, target: done and to do. percent: of target, 0 to 100."""

    position: int
    target: int
    percent: float
    begun_at: datetime


class Lag(msgspec.Struct, frozen=True):
    """The lag of one read model: in positions, and as the age of the first event that it does not hold.

    failed: it stands still; reason states the error. ready: it answers queries of this release.
    building: the progress of its next tables, while there are any.
    """

    lag: int
    lag_seconds: float
    failed: bool
    ready: bool = True
    reason: str | None = None
    building: Building | None = None


class ProjectionView(msgspec.Struct, frozen=True):
    """A read model.

    lag: the number of positions that it is behind the log. lag_seconds: age of the first event that it does not hold.
    state: ``running``, ``catching_up``, ``rebuilding`` (its tables are another release's, and this release's are being
    built), ``failed`` (it stands still, see last_error), or ``unattended``: no projector runs it. dead_letters: events
    it could not digest. last_error: the reason for which it stands still, else the error of the newest dead letter.
    ready: it answers queries of this release. building: the progress of its next tables, while there are any.
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
    ready: bool = True
    building: Building | None = None


class ProjectionsView(msgspec.Struct, frozen=True):
    """Every read model. as_of_position: the end of the log."""

    items: list[ProjectionView]
    as_of_position: int
    lag_seconds: float


def list_projections(reading: Reading) -> ProjectionsView:
    """Return every read model by name. Raises Outage."""
    with reading.log() as (connection, freshness):
        rows = fetch(connection, _PROJECTIONS, (Jsonb(dict(reading.progress.shapes)),))
    # A replica shows no locks of the main server.
    with reading.progress.main.reading() as connection:
        held = {(row["lock"], row["key"]) for row in fetch(connection, _HELD, ([RUNNER_LOCK, REBUILD_LOCK],))}
    items = [_view(row, held, reading.ahead) for row in rows]
    lag_seconds = max((item.lag_seconds for item in items), default=0.0)
    return ProjectionsView(items, freshness.as_of_position, lag_seconds)


def read_lags(
    connection: Connection[Any], shapes: Mapping[str, str] = MappingProxyType({}), ahead: Ahead | None = None
) -> dict[str, Lag]:
    """Return the lag of every read model, by name. shapes: the digests that this release can read.

    ahead: the log of the main server beyond the rows of a replica.
    """
    return {row["name"]: _lag(row, ahead) for row in fetch(connection, _PROJECTIONS, (Jsonb(dict(shapes)),))}


def lock_key(name: str) -> int:
    """Return the number under which a projector holds the read model `name`, as PostgreSQL shows it."""
    return (zlib.crc32(name.encode()) - 2**31) % 2**32


def _lag(row: DictRow, ahead: Ahead | None) -> Lag:
    lag, seconds, reason = max(0, row["head"] - row["position"]), age_of(row["next"]), _reason(row)
    if ahead is not None:
        beyond = ahead.beyond(row["position"])
        lag, seconds = max(lag, beyond.head - row["position"]), max(seconds, beyond.age)
    failed = row["failure"] is not None if row["readable"] else reason is not None
    return Lag(lag, seconds, failed, row["readable"], reason, _building(row))


def _reason(row: DictRow) -> str | None:
    """Return the error for which the read model stands still, for this release."""
    if row["readable"]:
        failure: str | None = row["failure"]
        return failure
    return _REPLACED.format(name=row["name"]) if row["replaced"] else row["build_failure"]


def _building(row: DictRow) -> Building | None:
    if row["begun_at"] is None:
        return None
    position, target = row["built_position"], row["built_target"]
    percent = round(100.0 * position / target, 1) if target else 100.0
    return Building(position, target, percent, row["begun_at"])


def _view(row: DictRow, held: set[tuple[int, int]], ahead: Ahead | None) -> ProjectionView:
    name, lag = row["name"], _lag(row, ahead)
    runs, builds = ((lock, lock_key(name)) in held for lock in (RUNNER_LOCK, REBUILD_LOCK))
    last_error = lag.reason or row["error"]
    if lag.failed:
        state = "failed"
    elif not lag.ready:
        state = "rebuilding" if builds else "unattended"
        last_error = _WAITS.format(name=name)
    else:
        state = "unattended" if not runs else "catching_up" if lag.lag > PAGE else "running"
    return ProjectionView(
        name,
        row["position"],
        lag.lag,
        lag.lag_seconds,
        state,
        row["letters"],
        last_error,
        row["failed_at"],
        row["built_at"],
        lag.ready,
        lag.building,
    )
