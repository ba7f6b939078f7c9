"""The changes that a switch to the tables built for a read model would bring."""

from typing import Any

import msgspec
from psycopg import Connection, IsolationLevel

from projections import builds
from projections.arriving import arrives
from projections.building import Workshop, catch_up, workshop, write_rest
from projections.builds import BUILDING, LIVE
from projections.comparing import ComparedColumns, columns_of, compare, count_rows, prepare
from projections.positions import Positions
from projections.projection import Projection
from projections.switching import built_tables
from store.datastore import Datastore
from store.lists.kept import ListDifference
from store.progress import Progress


class LiveBehind(RuntimeError):
    """The tables in use have not reached the position of those built, so that their rows cannot be compared."""


class TableDifference(msgspec.Struct, frozen=True):
    """The differences of one table.

    rows_live, rows_built: in each. differing: rows that differ in columns both have, and rows that only one table has.
    columns_added, columns_removed: only in the built table, only in that in use; one of another type is in both.
    """

    table: str
    rows_live: int
    rows_built: int
    differing: int
    columns_added: list[str]
    columns_removed: list[str]
    samples: list[ListDifference]


def diff(datastore: Datastore, projection: Projection[Any], progress: Progress) -> tuple[int, list[TableDifference]]:
    """Compare the tables built with those in use, as of one position; return it and the differences of each table.

    Raises NothingToSwitchTo, RebuildRunning, LiveBehind when no process brings the tables in use up to where those
    built are, or psycopg.OperationalError.
    """
    with workshop(datastore, projection, progress) as shop:
        at = catch_up(shop, built_tables(shop).position)
        _wait_for_live(datastore, projection.name, at)
        shop.connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with shop.connection.transaction(force_rollback=True):
            live = Positions().read(shop.connection, [projection.name])[projection.name]
            write_rest(shop, at, live)
            prepare(shop.connection)
            return live, [_difference(shop, table) for table in projection.tables]


def _difference(shop: Workshop, table: str) -> TableDifference:
    connection: Connection[Any] = shop.connection
    columns = columns_of(connection, LIVE, BUILDING, table)
    if not _comparable(columns):
        in_use = builds.existing(connection, LIVE, [table])
        live, built = count_rows(connection, LIVE, table) if in_use else 0, count_rows(connection, BUILDING, table)
        return TableDifference(table, live, built, max(live, built), columns.added, columns.removed, [])
    found = compare(connection, LIVE, BUILDING, table, columns)
    return TableDifference(
        table, found.rows_live, found.rows_rebuilt, found.differing, columns.added, columns.removed, found.samples
    )


def _comparable(columns: ComparedColumns) -> bool:
    return bool(columns.key) and set(columns.key) <= {name for name, _ in columns.common}


def _wait_for_live(datastore: Datastore, name: str, position: int) -> None:
    live = arrives(datastore, name, position)
    if live is not None:
        raise LiveBehind(
            f"{name} is at position {live}, its built tables at {position}, and no projector brings it there"
        )
