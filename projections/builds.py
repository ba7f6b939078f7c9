"""The records of read tables that are not in use: being built, or replaced and kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

# Each slot is a schema of the same name.
BUILDING, PREVIOUS, LIVE = "building", "previous", "public"

FIND = """select projection, slot, digest, tables, position, target, indexed, failure, begun_at
from read_table_builds where projection = %s and slot = %s"""
PUT = """
insert into read_table_builds (projection, slot, digest, tables, position, target, indexed)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (projection, slot) do update set digest = excluded.digest, tables = excluded.tables,
  position = excluded.position, target = excluded.target, indexed = excluded.indexed, failure = null,
  begun_at = now()"""
REACH = """update read_table_builds set position = %s, target = %s, failure = null
where projection = %s and slot = %s"""
INDEXED = "update read_table_builds set indexed = true where projection = %s and slot = %s"
FAIL = "update read_table_builds set failure = %s where projection = %s and slot = %s"
REMOVE = "delete from read_table_builds where projection = %s and slot = %s"
EXISTING = (
    "select t as name from unnest(%s::text[]) t where to_regclass(quote_ident(%s) || '.' || quote_ident(t)) is not null"
)


class TableBuild(msgspec.Struct, frozen=True):
    """Tables in the schema `slot`. position: the log is in them up to there. indexed: only newer events are missing."""

    projection: str
    slot: str
    digest: str
    tables: list[str]
    position: int
    target: int
    indexed: bool
    failure: str | None
    begun_at: datetime


def find(connection: Connection[Any], name: str, slot: str) -> TableBuild | None:
    """Return the record of the tables of `name` in `slot`."""
    with connection.cursor(row_factory=class_row(TableBuild)) as cursor:
        return cursor.execute(FIND, (name, slot)).fetchone()


def put(
    connection: Connection[Any],
    name: str,
    slot: str,
    digest: str,
    tables: Sequence[str],
    *,
    position: int = 0,
    target: int = 0,
    indexed: bool = False,
) -> None:
    """Record tables of `name` in `slot`, in place of any recorded there."""
    connection.execute(PUT, (name, slot, digest, list(tables), position, target, indexed))


def reach(connection: Connection[Any], name: str, slot: str, position: int, target: int) -> None:
    """Record how far the tables are, in the transaction that writes their rows."""
    connection.execute(REACH, (position, target, name, slot), prepare=True)


def mark_indexed(connection: Connection[Any], name: str, slot: str) -> None:
    """Record that the indexes exist."""
    connection.execute(INDEXED, (name, slot))


def fail(connection: Connection[Any], name: str, error: str) -> None:
    """Record the error of the build of `name`; the next page that it writes removes the error."""
    connection.execute(FAIL, (error, name, BUILDING))


def remove(connection: Connection[Any], name: str, slot: str) -> None:
    """Remove the record of the tables of `name` in `slot`."""
    connection.execute(REMOVE, (name, slot))


def existing(connection: Connection[Any], schema: str, tables: Sequence[str]) -> list[str]:
    """Return those of `tables` that `schema` holds."""
    return [row["name"] for row in connection.execute(EXISTING, (list(tables), schema)).fetchall()]


def drop(connection: Connection[Any], schema: str, tables: Sequence[str]) -> None:
    """Drop the `tables` of `schema` that exist."""
    if tables:
        connection.execute(f"drop table if exists {', '.join(f'{schema}.{table}' for table in tables)}")
