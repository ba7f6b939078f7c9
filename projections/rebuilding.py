"""A read model built anew from the log, beside the one in use, and put in its place."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
from psycopg import Connection

from projections.pages import digest, notify
from projections.positions import Positions
from projections.projection import Projection
from projections.running import lock_key
from projections.tables import BEGIN, record_built
from store.datastore import Datastore
from store.lists.kept import Rebuilt
from store.reading import BULK, connect, count, head, read_ahead, read_range

REBUILD_LOCK = 4714
SCHEMA, LIVE = "rebuilding", "public"
SWAP_LOCK_TIMEOUT = "2s"  # how long readers may be made to queue behind one that does not end
SWAP_ATTEMPTS = 30

ADOPT_LETTERS = "update dead_letters set projection = %s where projection = %s"
FORGET_LETTERS = "delete from dead_letters where projection = %s"

Progress = Callable[[int, int], None]


class RebuildRunning(RuntimeError):
    """Somebody else is rebuilding this projection; wait, or interrupt that one."""


def rebuild(datastore: Datastore, projection: Projection[Any], progress: Progress) -> Rebuilt:
    """Build the tables of `projection` anew and swap them in; its dead letters are tried again.

    The tables in use stay readable, and are kept up by whoever runs the projection, until they are replaced at exactly
    their position (or further on, if they were behind). Interrupted, it leaves them as they were: run it again, it
    begins anew. progress: called with positions done and to do.
    Raises RebuildRunning, pages.Broken when the tables cannot be written, or psycopg.OperationalError in an outage.
    """
    begun = time.perf_counter()
    with (
        closing(connect(datastore, search_path=f"{SCHEMA},{LIVE}")) as connection,
        closing(connect(datastore)) as reader,
    ):
        if not _try_lock(connection, projection.name):
            raise RebuildRunning(f"{projection.name} is being rebuilt already")
        rebuilding = _Rebuilding(connection, reader, Positions(datastore), projection, progress)
        position = rebuilding.run()
        seconds = time.perf_counter() - begun
        # The server lets go of a closed connection's locks when it gets round to it; the next rebuild may come before.
        connection.execute("select pg_advisory_unlock(%s, %s)", (REBUILD_LOCK, lock_key(projection.name)))
        return Rebuilt(count(reader, position), seconds)


class _Rebuilding:
    def __init__(
        self,
        connection: Connection[Any],
        reader: Connection[Any],
        positions: Positions,
        projection: Projection[Any],
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._positions = positions
        self._projection = projection
        self._progress = progress
        self._topics = list(projection.handlers)
        self._parked_as = f"{projection.name}:{SCHEMA}"
        self._at = 0

    def run(self) -> int:
        """The position at which the new tables took the place of the old."""
        self._begin()
        self._catch_up()
        self._projection.create_indexes(self._connection)
        for table in self._projection.tables:
            self._connection.execute(f"analyze {SCHEMA}.{table}")
        for attempt in range(1, SWAP_ATTEMPTS + 1):
            self._catch_up()
            try:
                return self._swap()
            except psycopg.errors.LockNotAvailable:
                # A long query reads the old tables. Let it, and everybody behind it, get on; then try again.
                if attempt == SWAP_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _begin(self) -> None:
        with self._connection.transaction():
            for table in self._projection.tables:
                self._connection.execute(f"drop table if exists {SCHEMA}.{table}")
            self._connection.execute(FORGET_LETTERS, (self._parked_as,))
            self._projection.create(self._connection, indexed=False)

    def _catch_up(self) -> None:
        """Up to the end of the log, or so near that the rest takes no time."""
        while (end := head(self._reader)) - self._at > (0 if self._at == 0 else BULK):
            for position, rows in read_ahead(self._reader, self._at, end, self._topics):
                with self._connection.transaction():
                    digest(self._connection, self._projection, rows, self._parked_as)
                self._at = position
                self._progress(position, end)

    def _swap(self) -> int:
        name, connection = self._projection.name, self._connection
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{SWAP_LOCK_TIMEOUT}'")
            connection.execute(BEGIN, (name,))
            # Whoever runs the projection moves its position before it writes, so it now waits, and then finds it moved.
            live = self._positions.lock(connection, [name])[name]
            until = max(live, self._at)
            rows = read_range(connection, self._at, until, self._topics)
            digest(connection, self._projection, rows, self._parked_as)
            if until > live:
                self._positions.advance(connection, name, until)
            for table in self._projection.tables:
                connection.execute(f"drop table if exists {LIVE}.{table}")
                connection.execute(f"alter table {SCHEMA}.{table} set schema {LIVE}")
            connection.execute(FORGET_LETTERS, (name,))
            connection.execute(ADOPT_LETTERS, (name, self._parked_as))
            record_built(connection, self._projection)
            notify(connection, until)
        self._progress(until, until)
        return until


def _try_lock(connection: Connection[Any], name: str) -> bool:
    query = "select pg_try_advisory_lock(%s, %s) as taken"
    row = connection.execute(query, (REBUILD_LOCK, lock_key(name))).fetchone()
    return row is not None and bool(row["taken"])
