"""Read tables: made where they are missing, and found stale where their definition has changed since then."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from projections import ALL
from projections.projection import Projection
from store.migrating import MIGRATION_LOCK

RECORD = """
insert into projections (name, digest) values (%s, %s)
on conflict (name) do update set digest = excluded.digest, built_at = now(), failure = null, failed_at = null"""
BEGIN = "insert into notification_tracking (application_name, notification_id) values (%s, 0) on conflict do nothing"


def create_read_tables(connection: Connection[Any], projections: Sequence[Projection[Any]] = ALL) -> list[str]:
    """Create the tables of projections that are new, empty and at position 0; their names. Part of `migrate`.

    Safe when several processes call it at once. Tables that are there stay as they are, stale or not.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        built = built_digests(connection)
        new = [projection for projection in projections if projection.name not in built]
        for projection in new:
            projection.create(connection)
            connection.execute(BEGIN, (projection.name,))
            record_built(connection, projection)
    return [projection.name for projection in new]


def record_built(connection: Connection[Any], projection: Projection[Any], name: str | None = None) -> None:
    """Note that the tables of `projection` are as it defines them, under its name or another."""
    connection.execute(RECORD, (name or projection.name, projection.digest))


def built_digests(connection: Connection[Any]) -> dict[str, str]:
    """What the tables of each projection were built as; see Projection.digest."""
    with connection.cursor() as cursor:
        rows = cursor.execute("select name, digest from projections").fetchall()
    return dict(row if isinstance(row, tuple) else (row["name"], row["digest"]) for row in rows)
