"""Read tables: created where they are missing, and found stale where their definition differs from the one in use."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from projections import ALL
from projections.projection import Projection
from store.locks import MIGRATION_LOCK, take_lock

RECORD = """
insert into projections (name, digest) values (%s, %s)
on conflict (name) do update set digest = excluded.digest, built_at = now(), failure = null, failed_at = null"""
BEGIN = "insert into notification_tracking (application_name, notification_id) values (%s, 0) on conflict do nothing"

# The prefix of the digest of tables that a switch is about to replace: until it has, no release runs them.
SWITCHING = "switching:"


def read_table_names(projections: Sequence[Projection[Any]] = ALL) -> list[str]:
    """Return the names of the tables of `projections`."""
    return [table for projection in projections for table in projection.tables]


def create_read_tables(connection: Connection[Any], projections: Sequence[Projection[Any]] = ALL) -> list[str]:
    """Create the tables of projections that are new, empty and at position 0; return their names. Part of `migrate`.

    Safe when several processes call it at once. Existing tables stay as they are, stale or not, and a role that may not
    create tables can call it when none is missing.
    """
    built = built_digests(connection)
    if all(projection.name in built for projection in projections):
        return []
    with connection.transaction():
        take_lock(connection, MIGRATION_LOCK)
        built = built_digests(connection)
        new = [projection for projection in projections if projection.name not in built]
        for projection in new:
            projection.create(connection)
            connection.execute(BEGIN, (projection.name,))
            connection.execute(RECORD, (projection.name, projection.digest))
    return [projection.name for projection in new]


def built_digests(connection: Connection[Any]) -> dict[str, str]:
    """Return the digest that the tables of each projection were built with; see Projection.digest."""
    with connection.cursor() as cursor:
        rows = cursor.execute("select name, digest from projections").fetchall()
    return dict(row if isinstance(row, tuple) else (row["name"], row["digest"]) for row in rows)


def live_shape(digest: str) -> str:
    """Return the digest of the tables in use, also while they are about to be replaced."""
    return digest.removeprefix(SWITCHING)


def stale_names(connection: Connection[Any], projections: Sequence[Projection[Any]] = ALL) -> list[str]:
    """Return the names of `projections` whose tables in use have another shape than this release defines."""
    built = built_digests(connection)
    return [projection.name for projection in projections if built.get(projection.name) != projection.digest]
