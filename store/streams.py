"""The proof that each stream of the log is numbered 1 to n: no event in the middle of one is missing."""

from contextlib import closing
from typing import Any

from psycopg import Connection, IsolationLevel

from store.datastore import Datastore
from store.lists.kept import SAMPLES, ListDifference, Verified, tuples
from store.progress import Progress
from store.reading import connect, head

# Reads the index of the primary key once, in its order: no sort, and no more memory for a larger log.
NUMBERED = """
select originator_id, originator_version as version,
  lag(originator_version, 1, 0::bigint) over (partition by originator_id order by originator_version) as before
from stored_events"""
COUNTED = f"""select count(*) filter (where before = 0), count(*) filter (where version <> before + 1)
from ({NUMBERED}) as numbered"""
HOLES = (
    f"select originator_id::text, before, version from ({NUMBERED}) as numbered where version <> before + 1 limit %s"
)


class StreamsWithoutHoles:
    """The part of a verification that concerns the log itself; nothing can rebuild it."""

    name = "streams"

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        """Return the number of streams and of holes, and some holes; change nothing.

        Raises psycopg.OperationalError during an outage.
        """
        with closing(connect(datastore)) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                end = head(connection)
                progress(0, end)
                ((streams, holes),) = tuples(connection, COUNTED)
                samples = _holes(connection) if holes else []
                progress(end, end)
        return Verified(streams, holes, samples)


def _holes(connection: Connection[Any]) -> list[ListDifference]:
    return [
        ListDifference(
            "stored_events", {"stream": stream, "after_version": before}, {"version": version}, {"version": before + 1}
        )
        for stream, before, version in tuples(connection, HOLES, (SAMPLES,))
    ]
