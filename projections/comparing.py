"""The rows of two tables of one name, in two schemas, compared as they are."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import set_json_loads

from store.lists.kept import SAMPLES, ListDifference

COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnum = any(coalesce(i.indkey::int2[], '{}'))
from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum"""


class ComparedColumns(msgspec.Struct, frozen=True):
    """The columns of a table in two schemas. A column with another type in each is both added and removed."""

    key: list[str]
    common: list[tuple[str, str]]
    added: list[str]
    removed: list[str]


class Compared(msgspec.Struct, frozen=True):
    """The outcome of a comparison. rows_live, rows_rebuilt: in each table. differing: wrong, missing or too many."""

    rows_live: int
    rows_rebuilt: int
    differing: int
    samples: list[ListDifference]


def prepare(connection: Connection[Any]) -> None:
    """Have `connection` read whole tables, and JSON numbers exactly, within its transaction."""
    connection.execute("set local enable_seqscan = on")
    set_json_loads(partial(json.loads, parse_float=Decimal), connection)


def columns_of(connection: Connection[Any], live: str, aside: str, table: str) -> ComparedColumns:
    """Return the columns of `table` in the schemas `live` and `aside`; no live ones where it is missing there."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        here = cursor.execute(COLUMNS, (f"{live}.{table}",)).fetchall()
        there = cursor.execute(COLUMNS, (f"{aside}.{table}",)).fetchall()
    types = {name: kind for name, kind, _ in here}
    common = [(name, kind) for name, kind, _ in there if types.get(name) == kind]
    names = {name for name, _ in common}
    return ComparedColumns(
        [name for name, _, is_key in there if is_key],
        common,
        [name for name, _, _ in there if name not in names],
        [name for name, _, _ in here if name not in names],
    )


def compare(connection: Connection[Any], live: str, aside: str, table: str, columns: ComparedColumns) -> Compared:
    """Compare the rows of `table` in both schemas by the columns that are common to both."""
    key = ", ".join(f'"{name}"' for name in columns.key)
    # json has no equality; rows hold documents as they came, so their texts are equal.
    compared = ", ".join(f'"{name}"::text' if kind == "json" else f'"{name}"' for name, kind in columns.common)
    ours, theirs = f"select {compared} from {live}.{table}", f"select {compared} from {aside}.{table}"
    differing = f"""select {key} from (({ours} except {theirs}) union all ({theirs} except {ours})) as different"""
    query = f"""
        with differing as materialized (select distinct {key} from ({differing}) as keys)
        select to_json(d) as key, to_json(l) as live, to_json(a) as rebuilt, count(*) over () as n
        from differing d left join {live}.{table} l using ({key}) left join {aside}.{table} a using ({key})
        order by {key} limit {SAMPLES}"""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query).fetchall()
    samples = [ListDifference(table, row["key"], row["live"], row["rebuilt"]) for row in found]
    rows = count_rows(connection, live, table), count_rows(connection, aside, table)
    return Compared(*rows, found[0]["n"] if found else 0, samples)


def count_rows(connection: Connection[Any], schema: str, table: str) -> int:
    """Return how many rows a table has."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(f"select count(*) from {schema}.{table}").fetchone()
    assert row is not None
    return int(row[0])
