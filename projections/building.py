"""Read tables built from the log beside those in use: page by page, resumed after an interruption, caught up later."""

from collections.abc import Callable, Iterator, Sequence
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

    connection writes; reader reads the log, and creates indexes beside it. Both have `slot` first on their search path.
    progress: called with positions done and to do, after each page; an error that it raises interrupts the build, which
    the next one may continue.
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

        def opening(part: str) -> Connection[Any]:
            return opened.enter_context(closing(connect(datastore, part, search_path=f"{slot},{LIVE}")))

        with ThreadPoolExecutor(1, thread_name_prefix="connect") as beside:
            coming = beside.submit(opening, "build reader")
            connection, reader = opening("build"), coming.result()
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
        found = None
    at = catch_up(shop, found.position if found is not None else _write_first(shop))
    if found is None or not found.indexed:
        _create_indexes(shop)
        builds.mark_indexed(connection, projection.name, shop.slot)
        for table in projection.tables:
            connection.execute(f"analyze {shop.slot}.{table}")
    return at


def catch_up(shop: Workshop, at: int) -> int:
    """Write what the log holds after position `at`, to its end or within a page of it; return the position reached."""
    while (end := head(shop.reader)) - at > (0 if at == 0 else BULK):
        at = _write_to(shop, at, end)
    return at


def _write_first(shop: Workshop) -> int:
    """Begin anew and write what the log holds now; create the tables while the first page is read and folded."""
    end = head(shop.reader)
    return _write_to(shop, 0, end, lambda: _begin(shop, end))


def _write_to(shop: Workshop, begin: int, end: int, prepare: Callable[[], object] = lambda: None) -> int:
    """Write the pages after `begin` up to `end`; fold one while the server takes the one before it."""
    at = begin
    with ThreadPoolExecutor(1, thread_name_prefix="write behind") as writer:
        written: Future[object] = writer.submit(prepare)
        try:
            for position, rows in read_ahead(shop.reader, at, end, shop.projection.topics):
                folded = fold_page(shop.projection, rows, shop.reader)
                written.result()
                if at > begin:
                    shop.progress(at, end)
                written = writer.submit(_write_page, shop, rows, folded, position, end)
                at = position
        finally:
            written.result()
    if at > begin:
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


def _begin(shop: Workshop, target: int) -> None:
    projection, connection = shop.projection, shop.connection
    # Two transactions: if the creation of the tables fails, the record holds the error.
    with connection.transaction():
        discard(shop, BUILDING)
        discard(shop, PREVIOUS)
        builds.put(connection, shop.name, BUILDING, projection.digest, projection.tables, target=target)
    with connection.transaction():
        projection.create(connection, indexed=False)
        restore_figures(connection, projection)


def _create_indexes(shop: Workshop) -> None:
    """Create the indexes that an interrupted build has not created, over both connections at once."""
    coming = iter(shop.projection.indexes)

    def create(connection: Connection[Any]) -> None:
        for statement in coming:  # each connection takes the next one that the other has not taken
            connection.execute(statement.replace(" index ", " index if not exists ", 1))

    with ThreadPoolExecutor(1, thread_name_prefix="create indexes") as beside:
        other = beside.submit(create, shop.reader)
        create(shop.connection)
        other.result()


def _complete(shop: Workshop) -> bool:
    tables = shop.projection.tables
    return len(builds.existing(shop.connection, shop.slot, tables)) == len(tables)
