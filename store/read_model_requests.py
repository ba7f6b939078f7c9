"""The requests of operators to the projector about read models: one open request a read model, kept in a table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

ReadModelAct = Literal["rebuild", "build", "compare", "promote", "rollback", "drop", "verify"]
ACTS: tuple[ReadModelAct, ...] = ("rebuild", "build", "compare", "promote", "rollback", "drop", "verify")

_FIELDS = "projection, request_id, act, actor, reason, state, requested_at, started_at, ended_at, failure"
PUT = f"""
insert into read_model_requests as r (projection, request_id, act, actor, reason)
select name, %s, %s, %s, %s from projections where name = %s
on conflict (projection) do update set request_id = excluded.request_id, act = excluded.act, actor = excluded.actor,
  reason = excluded.reason, state = 'requested', requested_at = now(), started_at = null, ended_at = null,
  failure = null, result = null
where r.state not in ('requested', 'running')
returning {_FIELDS}"""
FIND = f"select {_FIELDS} from read_model_requests where projection = %s"
OLDEST = f"""select {_FIELDS} from read_model_requests
where state in ('requested', 'running') and projection = any(%s) order by requested_at, projection limit 1"""
BEGIN = f"""update read_model_requests set state = 'running', started_at = coalesce(started_at, now())
where request_id = %s and state in ('requested', 'running') returning {_FIELDS}"""
END = """update read_model_requests set state = %s, ended_at = now(), failure = %s, result = %s
where request_id = %s and state in ('requested', 'running') returning request_id"""
WITHDRAW = f"""update read_model_requests set state = 'withdrawn', ended_at = now(), failure = %s
where projection = %s and state in ('requested', 'running') returning {_FIELDS}"""
IS_OPEN = "select from read_model_requests where request_id = %s and state in ('requested', 'running')"
NAMES = "select name from projections order by name"
SWITCHED_SINCE = "select from projections where name = %s and built_at > %s"
TABLES = "select from read_table_builds where projection = %s and slot = %s and indexed"
COMPARED = """insert into read_table_comparisons (projection, position, tables) values (%s, %s, %s)
on conflict (projection) do update set position = excluded.position, tables = excluded.tables, compared_at = now()"""
FORGET_COMPARISON = "delete from read_table_comparisons where projection = %s"


class ReadModelRequest(msgspec.Struct, frozen=True):
    """A request. state: ``requested``, ``running``, ``done``, ``failed`` or ``withdrawn``; failure: why it ended so."""

    projection: str
    request_id: UUID
    act: ReadModelAct
    actor: str
    reason: str
    state: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    failure: str | None


def names(connection: Connection[Any]) -> list[str]:
    """Return the names of all read models."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(NAMES).fetchall()


def put(
    connection: Connection[Any], projection: str, request_id: UUID, act: ReadModelAct, actor: str, reason: str
) -> ReadModelRequest | None:
    """Record a request; return it, or None where one is open or there is no such read model."""
    return _one(connection, PUT, (request_id, act, actor, reason, projection))


def find(connection: Connection[Any], projection: str) -> ReadModelRequest | None:
    """Return the open request about a read model, or the last one."""
    return _one(connection, FIND, (projection,))


def oldest(connection: Connection[Any], projections: Sequence[str]) -> ReadModelRequest | None:
    """Return the open request about one of `projections` that has waited for the longest time."""
    return _one(connection, OLDEST, (list(projections),))


def begin(connection: Connection[Any], request_id: UUID) -> ReadModelRequest | None:
    """Note that the request is carried out; None if it was withdrawn. started_at: of the first process that began."""
    return _one(connection, BEGIN, (request_id,))


def end(connection: Connection[Any], request_id: UUID, result: object = None, failure: str | None = None) -> None:
    """Note the end of a request that is open. failure: why it failed. Default: it is done."""
    state = "done" if failure is None else "failed"
    connection.execute(END, (state, failure, msgspec.json.encode(result).decode(), request_id))


def withdraw(connection: Connection[Any], projection: str, why: str) -> ReadModelRequest | None:
    """End the open request about a read model; None if there is none."""
    return _one(connection, WITHDRAW, (why, projection))


def is_open(connection: Connection[Any], request_id: UUID) -> bool:
    """Return whether the request is neither ended nor withdrawn."""
    return connection.execute(IS_OPEN, (request_id,)).fetchone() is not None


def switched_since(connection: Connection[Any], projection: str, since: datetime) -> bool:
    """Return whether other tables of the read model have come into use after `since`."""
    return connection.execute(SWITCHED_SINCE, (projection, since)).fetchone() is not None


def has_tables(connection: Connection[Any], projection: str, slot: str) -> bool:
    """Return whether finished tables of the read model are in `slot`: ``building`` or ``previous``."""
    return connection.execute(TABLES, (projection, slot)).fetchone() is not None


def keep_comparison(connection: Connection[Any], projection: str, position: int, tables: object) -> None:
    """Keep the outcome of a comparison, in place of the one before."""
    connection.execute(COMPARED, (projection, position, msgspec.json.encode(tables).decode()))


def forget_comparison(connection: Connection[Any], projection: str) -> None:
    """Forget the outcome of the last comparison: the tables that it compared are no longer what they were."""
    connection.execute(FORGET_COMPARISON, (projection,))


def _one(connection: Connection[Any], query: str, parameters: Sequence[object]) -> ReadModelRequest | None:
    with connection.cursor(row_factory=class_row(ReadModelRequest)) as cursor:
        return cursor.execute(query, parameters).fetchone()
