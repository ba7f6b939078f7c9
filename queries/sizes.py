"""Sizes: of the log, of each table, and of the database, as the catalogue of PostgreSQL states them."""

import msgspec

from queries.reading import Reading, fetch

LOG_TABLE = "stored_events"
MOST_TABLES = 500
# The catalogue and the sizes of files: no row of a table is read. PostgreSQL estimates rows when it analyses a table.
_TABLES = f"""
select n.nspname as schema, c.relname as table, nullif(c.reltuples, -1)::bigint as rows_estimated,
  coalesce(pg_total_relation_size(c.oid), 0) as bytes, coalesce(pg_indexes_size(c.oid), 0) as index_bytes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname in ('public', 'building', 'previous', 'rebuilding')
order by bytes desc, n.nspname, c.relname limit {MOST_TABLES}"""
_DATABASE = "select pg_database_size(current_database()) as bytes"


class TableSize(msgspec.Struct, frozen=True):
    """The size of a table on disk. bytes: with its indexes and large values. rows_estimated: None before the first
    estimate. schema: ``public``; ``building`` and ``previous`` hold read tables that are not in use.
    """

    schema: str
    table: str
    rows_estimated: int | None
    bytes: int
    index_bytes: int


class LogSize(msgspec.Struct, frozen=True):
    """The size of the log on disk. last_position: of the newest event; positions may have gaps."""

    last_position: int
    events_estimated: int | None
    bytes: int


class SizesView(msgspec.Struct, frozen=True):
    """Sizes on disk, in bytes. tables: the largest first, at most 500 of them."""

    database_bytes: int
    log: LogSize
    tables: list[TableSize]
    as_of_position: int
    lag_seconds: float


def get_sizes(reading: Reading) -> SizesView:
    """Return the sizes of the log and of every table. Raises Outage."""
    with reading.log() as (connection, freshness):
        tables = [TableSize(**row) for row in fetch(connection, _TABLES)]
        database = int(fetch(connection, _DATABASE)[0]["bytes"])
    head = freshness.as_of_position
    of_log = next((each for each in tables if (each.schema, each.table) == ("public", LOG_TABLE)), None)
    log = LogSize(head, of_log.rows_estimated if of_log else None, of_log.bytes if of_log else 0)
    return SizesView(database, log, tables, head, freshness.lag_seconds)
