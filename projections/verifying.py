"""Proof that the rows of a read model equal those of the log: built again aside, compared, and dropped."""

from contextlib import closing
from typing import Any

from psycopg import Connection, IsolationLevel

from projections.archived_figures import restore_figures
from projections.arriving import arrives
from projections.comparing import columns_of, compare, prepare
from projections.pages import digest
from projections.positions import Positions
from projections.projection import Projection
from store.datastore import Datastore
from store.lists.kept import SAMPLES, ListDifference, ParkedEvent, Verified
from store.progress import Progress
from store.reading import connect, known_part, read_pages, read_used

__all__ = ["SAMPLES", "ListDifference", "NotBuilt", "Verified", "verify"]

PARKED = """
select position, min(error) as error, count(*) over () as parked from dead_letters
where projection = any(%(names)s) group by position order by position limit %(samples)s"""

ARCHIVED_AT = "select max(position) as position from archived_executions"

ASIDE, LIVE = "pg_temp", "public"
# In this session only: no other session reads the rows built aside, and the comparison reads them whole.
ROOM = {"temp_buffers": "64MB", "work_mem": "64MB"}


class NotBuilt(RuntimeError):
    """The tables in use are not as the projection defines them now: rebuild it."""


def verify(datastore: Datastore, projection: Projection[Any], progress: Progress) -> Verified:
    """Compare the rows in use with those built from the log up to their position; change nothing.

    One snapshot serves both, so others may write meanwhile. progress: called with positions done and to do.
    Raises NotBuilt when the tables in use are missing or of another definition, UnknownEventMet when a newer release
    brought them further than this one can, or psycopg.OperationalError.
    """
    if projection.leaving:
        _wait_for_removal(datastore, projection)
    with closing(connect(datastore, search_path=f"{ASIDE},{LIVE}", **ROOM)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction(force_rollback=True):
            position = Positions().read(connection, [projection.name]).get(projection.name, 0)
            projection.create(connection, indexed=False)
            restore_figures(connection, projection)
            pages = read_pages(lambda begin, end: read_used(connection, begin, end, projection.topics), 0, position)
            for end, found in pages:
                rows, unknown = known_part(found)
                if unknown is not None:
                    raise unknown
                digest(connection, projection, rows, f"{projection.name}:verifying")
                progress(end, position)
            return _compared(connection, projection)


def _wait_for_removal(datastore: Datastore, projection: Projection[Any]) -> None:
    """Wait until the rows of archived executions have left; their events left before. Raises NotBuilt."""
    with closing(connect(datastore)) as connection:
        row = connection.execute(ARCHIVED_AT).fetchone()
    position = None if row is None else row["position"]
    if position is not None and (at := arrives(datastore, projection.name, position)) is not None:
        raise NotBuilt(
            f"{projection.name} is at position {at} and has rows of executions that are archived since; "
            "a projector removes them"
        )


def _parked(connection: Connection[Any], name: str) -> tuple[int, list[ParkedEvent]]:
    """Return how many events are parked, those found by this verification too, and the first of them."""
    names = [name, f"{name}:verifying"]
    rows = connection.execute(PARKED, {"names": names, "samples": SAMPLES}).fetchall()
    found = [ParkedEvent(row["position"], row["error"]) for row in rows]
    return (rows[0]["parked"] if rows else 0), found


def _compared(connection: Connection[Any], projection: Projection[Any]) -> Verified:
    parked, events = _parked(connection, projection.name)
    prepare(connection)
    total, differing, samples = 0, 0, list[ListDifference]()
    for table in projection.tables:
        columns = columns_of(connection, LIVE, ASIDE, table)
        if columns.added:
            raise NotBuilt(f"{table} is not as {projection.name} defines it; rebuild {projection.name}")
        found = compare(connection, LIVE, ASIDE, table, columns)
        total, differing, samples = total + found.rows_rebuilt, differing + found.differing, samples + found.samples
    return Verified(total, differing, samples[:SAMPLES], parked, events)
