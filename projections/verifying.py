"""Proof that the rows of a read model are what the log adds up to: built again aside, compared, and forgotten."""

import json
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import set_json_loads

from projections.pages import digest
from projections.positions import Positions
from projections.projection import Projection
from store.datastore import Datastore
from store.lists.kept import SAMPLES, Difference, Verified
from store.reading import BULK, connect, read_range

ASIDE, LIVE = "pg_temp", "public"
# In this session only: the rows built aside are nobody else's, and are compared whole.
ROOM = {"temp_buffers": "64MB", "work_mem": "64MB"}

COLUMNS = """
select a.attname, a.atttypid = 'json'::regtype, a.attnum = any(coalesce(i.indkey::int2[], '{}'))
from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"""

Progress = Callable[[int, int], None]


class NotBuilt(RuntimeError):
    """The tables in use are not as the projection defines them now: rebuild it."""


def verify(datastore: Datastore, projection: Projection[Any], progress: Progress) -> Verified:
    """Compare the rows in use with those that the log up to their position adds up to; changes nothing.

    One snapshot serves both, so others may write meanwhile. progress: called with positions done and to do.
    Raises NotBuilt when the tables in use are missing or of another definition, or psycopg.OperationalError.
    """
    with closing(connect(datastore, search_path=f"{ASIDE},{LIVE}", **ROOM)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction(force_rollback=True):
            position = Positions(datastore).read(connection, [projection.name]).get(projection.name, 0)
            projection.create(connection, indexed=False)
            for begin in range(0, position, BULK):
                end = min(begin + BULK, position)
                rows = read_range(connection, begin, end, list(projection.handlers))
                digest(connection, projection, rows, f"{projection.name}:verifying")
                progress(end, position)
            return _compared(connection, projection)


def _compared(connection: Connection[Any], projection: Projection[Any]) -> Verified:
    connection.execute("set local enable_seqscan = on")
    set_json_loads(partial(json.loads, parse_float=Decimal), connection)
    total, differing, samples = 0, 0, list[Difference]()
    for table in projection.tables:
        try:
            rows, found, some = _compare(connection, table)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise NotBuilt(f"{table} is not as {projection.name} defines it; rebuild {projection.name}") from error
        total, differing, samples = total + rows, differing + found, samples + some
    return Verified(total, differing, samples[:SAMPLES])


def _compare(connection: Connection[Any], table: str) -> tuple[int, int, list[Difference]]:
    """Rows built aside, rows that differ, some of these."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        columns = cursor.execute(COLUMNS, (f"{ASIDE}.{table}",)).fetchall()
    key = ", ".join(f'"{name}"' for name, _, is_key in columns if is_key)
    # json has no equality; documents are written as they came, so their texts are equal.
    compared = ", ".join(f'"{name}"::text' if is_json else f'"{name}"' for name, is_json, _ in columns)
    live, aside = f"select {compared} from {LIVE}.{table}", f"select {compared} from {ASIDE}.{table}"
    differing = f"""select {key} from (({live} except {aside}) union all ({aside} except {live})) as different"""
    query = f"""
        with differing as materialized (select distinct {key} from ({differing}) as keys)
        select to_json(d) as key, to_json(l) as live, to_json(a) as rebuilt, count(*) over () as n
        from differing d left join {LIVE}.{table} l using ({key}) left join {ASIDE}.{table} a using ({key})
        order by {key} limit {SAMPLES}"""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query).fetchall()
        total = cursor.execute(f"select count(*) as n from {ASIDE}.{table}").fetchone()
    assert total is not None
    samples = [Difference(table, row["key"], row["live"], row["rebuilt"]) for row in found]
    return total["n"], found[0]["n"] if found else 0, samples
