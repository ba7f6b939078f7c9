"""Read tables built from the log beside those in use: page by page, resumed after an interruption, caught up later."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from projections import builds
from projections.archived_figures import restore_figures
from projections.builds import BUILDING, LIVE, PREVIOUS, TableBuild
from projections.locks import REBUILD_LOCK, holder_of, try_lock, unlock
from projections.pages import digest, fold_page
from projections.projection import Projection
from store.archive.locks import release_shared, wait_shared
from store.datastore import Datastore
from store.progress import Progress
from store.reading import BULK, connect, head, known_part, read_ahead, read_pages, read_used

FORGET_LETTERS = "delete from dead_letters where projection = %s"


class RebuildRunning(RuntimeError):
    """Another process builds or switches the tables of this projection; wait, or interrupt that one."""


class Workshop(msgspec.Struct, frozen=True):
    """The tools of one build or switch of a projection's tables, for as long as it holds the projection's lock.

    connection writes, with `slot` first on its search path; reader reads the log. progress: called with positions done
    and to do, after each page; an error that it raises interrupts the build, which the next one may continue.
    """

    connection: Connection[Any]
    reader: Connection[Any]
    projection: Projection[Any]
    slot: str
    progress: Progress

    @property
    def name(self) -> str:
        """The projection's name."""
        return self.projection.name

    @property
    def parked_as(self) -> str:
        """The name of the dead letters of the tables in the slot."""
        return f"{self.name}:{self.slot}"

    def find(self, slot: str | None = None) -> TableBuild | None:
        """Return the record of the projection's tables in `slot`. Default: the slot worked on."""
        return builds.find(self.connection, self.name, slot or self.slot)


@contextmanager
def workshop(
    datastore: Datastore, projection: Projection[Any], progress: Progress, slot: str = BUILDING
) -> Iterator[Workshop]:
    """Hold the lock of the tables of `projection` that are not in use, with connections to work on them.

    Raises RebuildRunning if another process holds it, or psycopg.OperationalError in an outage.
    """
    with _connected(datastore, slot) as (connection, reader):
        if not try_lock(connection, REBUILD_LOCK, projection.name):
            holder = holder_of(connection, REBUILD_LOCK, projection.name)
            raise RebuildRunning(f"{projection.name} is being built already, under a lock {holder}")
        wait_shared(connection)
        yield Workshop(connection, reader, projection, slot, progress)
        # The server releases the locks of a closed connection some time later; the next build may come before.
        release_shared(connection)
        unlock(connection, REBUILD_LOCK, projection.name)


@contextmanager
def _connected(datastore: Datastore, slot: str) -> Iterator[tuple[Connection[Any], Connection[Any]]]:
    """Open the connections that write and read, at once: waiting for them is a good part of a small build."""
    with ExitStack() as opened:
        with ThreadPoolExecutor(1, thread_name_prefix="connect") as beside:
            coming = beside.submit(lambda: opened.enter_context(closing(connect(datastore, "build reader"))))
            writing = connect(datastore, "build", search_path=f"{slot},{LIVE}")
            connection, reader = opened.enter_context(closing(writing)), coming.result()
        yield connection, reader


def build(shop: Workshop, *, resume: bool = False) -> int:
    """Build the projection's tables beside those in use, with indexes; return the position they reach.

    Drops the previous tables first. resume: continue an interrupted build of the same shape. Default: begin anew.
    Raises UnknownEventMet before an event of a newer release, pages.Broken when the tables cannot be written.
    """
    found = shop.find() if resume else None
    projection, connection = shop.projection, shop.connection
    if found is not None and found.position > head(shop.reader):
        found = None  # the log has lost events that these tables hold
    if found is None or found.digest != projection.digest or not _complete(shop):
        _begin(shop)
        found = None
    at = catch_up(shop, found.position if found is not None else 0)
    if found is None or not found.indexed:
        with connection.transaction():
            projection.create_indexes(connection)
            builds.mark_indexed(connection, projection.name, shop.slot)
        for table in projection.tables:
            connection.execute(f"analyze {shop.slot}.{table}")
    return at


def catch_up(shop: Workshop, at: int) -> int:
    """Write what the log holds after position `at`, to its end or within a page of it; return the position reached."""
    while (end := head(shop.reader)) - at > (0 if at == 0 else BULK):
        at = _write_to(shop, at, end)
    return at


def _write_to(shop: Workshop, at: int, end: int) -> int:
    """Write the pages after `at` up to `end`; fold one while the server takes the one before it."""
    with ThreadPoolExecutor(1, thread_name_prefix="write behind") as writer:
        written: Future[None] | None = None
        try:
            for position, rows in read_ahead(shop.reader, at, end, shop.projection.topics):
                folded = fold_page(shop.projection, rows, shop.reader)
                if written is not None:
                    written.result()
                    shop.progress(at, end)
                written = writer.submit(_write_page, shop, rows, folded, position, end)
                at = position
        finally:
            if written is not None:
                written.result()
    shop.progress(at, end)
    return at


def _write_page(shop: Workshop, rows: Sequence[TupleRow], folded: Any, position: int, end: int) -> None:
    with shop.connection.transaction():
        digest(shop.connection, shop.projection, rows, shop.parked_as, folded)
        builds.reach(shop.connection, shop.name, shop.slot, position, end)


def write_rest(shop: Workshop, at: int, until: int) -> None:
    """Write the events behind `at` up to `until` within the caller's transaction. Raises UnknownEventMet."""
    topics = shop.projection.topics
    for _, found in read_pages(lambda begin, end: read_used(shop.connection, begin, end, topics), at, until):
        rows, unknown = known_part(found)
        if unknown is not None:
            raise unknown
        digest(shop.connection, shop.projection, rows, shop.parked_as)


def discard(shop: Workshop, slot: str) -> None:
    """Drop the tables in `slot`, with their dead letters and their record, within the caller's transaction."""
    found = shop.find(slot)
    names = {*shop.projection.tables, *(found.tables if found is not None else ())}
    builds.drop(shop.connection, slot, sorted(names))
    builds.remove(shop.connection, shop.name, slot)
    shop.connection.execute(FORGET_LETTERS, (f"{shop.name}:{slot}",))


def _begin(shop: Workshop) -> None:
    projection, connection = shop.projection, shop.connection
    # Two transactions: if the creation of the tables fails, the record holds the error.
    with connection.transaction():
        discard(shop, BUILDING)
        discard(shop, PREVIOUS)
        builds.put(connection, shop.name, BUILDING, projection.digest, projection.tables, target=head(shop.reader))
    with connection.transaction():
        projection.create(connection, indexed=False)
        restore_figures(connection, projection)


def _complete(shop: Workshop) -> bool:
    tables = shop.projection.tables
    return len(builds.existing(shop.connection, shop.slot, tables)) == len(tables)
