"""Tables put in the place of those in use, in one transaction, and back; the position moves with them.

A runner writes only while it holds its lock and finds its own digest in `projections`, which it reads every second.
So a switch to another shape first writes a digest that suits no release, waits until the runner has released its lock,
holds that lock itself, and then switches: no release ever writes rows of its shape into tables of another.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from projections import builds
from projections.building import FORGET_LETTERS, Workshop, catch_up, discard, write_rest
from projections.builds import BUILDING, LIVE, PREVIOUS, TableBuild
from projections.locks import RUNNER_LOCK, holder_of, unlock, wait_for_lock
from projections.pages import notify
from projections.positions import Positions
from projections.tables import BEGIN, RECORD, SWITCHING, built_digests, live_shape
from store.datastore import Datastore
from store.reading import head

SWAP_LOCK_TIMEOUT = "2s"  # the longest wait of readers behind a query that does not end
SWAP_ATTEMPTS = 30
# The schema that holds the tables in use for a moment, within the switch, until their place is free.
ASIDE = "rebuilding"

MARK = "update projections set digest = %s where name = %s"
SET_POSITION = "update notification_tracking set notification_id = %s where application_name = %s"
ADOPT_LETTERS = "update dead_letters set projection = %s where projection = %s"
GIVE_WAY = """insert into replaced_read_tables (projection, digest) values (%s, %s)
on conflict (projection, digest) do update set replaced_at = now()"""
COME_BACK = "delete from replaced_read_tables where projection = %s and digest = %s"
GAVE_WAY = "select projection, digest from replaced_read_tables"


class NothingToSwitchTo(RuntimeError):
    """There are no tables of this projection to put in the place of those in use."""


class HandOverRefused(RuntimeError):
    """The process that runs the projection did not release it in time; its tables stay in use. Try again."""


class Switched(msgspec.Struct, frozen=True):
    """position: where the tables stand. other_shape: only the release that defines them can bring them up to date."""

    position: int
    other_shape: bool


def replaced_digests(connection: Connection[Any]) -> set[tuple[str, str]]:
    """Return (projection, digest) of every shape that gave way to another."""
    return {(row["projection"], row["digest"]) for row in connection.execute(GAVE_WAY).fetchall()}


def built_tables(shop: Workshop) -> TableBuild:
    """Return the record of the finished build that promote would put in place. Raises NothingToSwitchTo."""
    found = shop.find(BUILDING)
    name = shop.name
    if found is None or not found.indexed:
        raise NothingToSwitchTo(f"no tables of {name} are built; `procession projections build {name}` builds them")
    if found.digest != shop.projection.digest:
        raise NothingToSwitchTo(f"the tables built for {name} are of another release; build {name} anew")
    return found


def previous_tables(shop: Workshop) -> TableBuild:
    """Return the record of the tables that rollback would put in place. Raises NothingToSwitchTo."""
    found = shop.find(PREVIOUS)
    if found is None:
        raise NothingToSwitchTo(f"no previous tables of {shop.name} are kept; the next build drops them")
    return found


def switch(datastore: Datastore, shop: Workshop, found: TableBuild, *, keep: bool = True) -> Switched:
    """Put the tables `found` in the place of those in use, at exactly the same position, or further on.

    keep: the tables that were in use become the previous ones. Default: True.
    Raises NothingToSwitchTo, HandOverRefused, UnknownEventMet, or psycopg.errors.LockNotAvailable while a query reads
    for a minute.
    """
    end = head(shop.reader)
    if found.position > end:
        raise NothingToSwitchTo(
            f"the {found.slot} tables of {shop.name} are at position {found.position}, beyond the end of the log, "
            f"{end}: the log has lost events; build {shop.name} anew"
        )
    ours = found.digest == shop.projection.digest
    at = catch_up(shop, found.position) if ours else found.position
    switching = _Switching(Positions(), shop, found, keep=keep)
    live = live_shape(built_digests(shop.connection).get(shop.name, ""))
    with _handed_over(shop, live, found.digest):
        for attempt in range(1, SWAP_ATTEMPTS + 1):
            at = catch_up(shop, at) if ours else at
            try:
                return Switched(switching.run(at, live, ours=ours), not ours)
            except psycopg.errors.LockNotAvailable:
                # A long query reads the old tables. It and the queries behind it go on first; then try again.
                if attempt == SWAP_ATTEMPTS:
                    raise
    raise AssertionError("unreachable")


class _Switching:
    def __init__(self, positions: Positions, shop: Workshop, found: TableBuild, *, keep: bool) -> None:
        self._positions = positions
        self._shop = shop
        self._found = found
        self._keep = keep

    def run(self, at: int, live_digest: str, *, ours: bool) -> int:
        """Switch in one transaction; return the position of the tables now in use."""
        shop, name, connection = self._shop, self._shop.name, self._shop.connection
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{SWAP_LOCK_TIMEOUT}'")
            connection.execute(BEGIN, (name,))
            # A runner of the same shape moves its position before it writes: it now waits, and then meets Moved.
            live = self._positions.lock(connection, [name])[name]
            until = at
            if ours:
                # If the log has lost events, tables beyond its end would pass over those that come in their place.
                until = max(min(live, head(connection)), at)
                write_rest(shop, at, until)
            if until != live:
                connection.execute(SET_POSITION, (until, name))
            self._move(live, live_digest)
            connection.execute(RECORD, (name, self._found.digest))
            connection.execute(COME_BACK, (name, self._found.digest))
            if live_digest != self._found.digest:
                connection.execute(GIVE_WAY, (name, live_digest))
            notify(connection, until)
        shop.progress(until, until)
        return until

    def _move(self, live: int, live_digest: str) -> None:
        shop, name, connection = self._shop, self._shop.name, self._shop.connection
        slot = self._found.slot
        in_use = builds.existing(connection, LIVE, sorted({*shop.projection.tables, *self._found.tables}))
        builds.drop(connection, ASIDE, in_use)
        connection.execute(FORGET_LETTERS, (f"{name}:{ASIDE}",))
        _move_tables(connection, in_use, LIVE, ASIDE)
        connection.execute(ADOPT_LETTERS, (f"{name}:{ASIDE}", name))
        _move_tables(connection, self._found.tables, slot, LIVE)
        connection.execute(ADOPT_LETTERS, (name, f"{name}:{slot}"))
        builds.remove(connection, name, slot)
        discard(shop, PREVIOUS)
        if not self._keep:
            builds.drop(connection, ASIDE, in_use)
            connection.execute(FORGET_LETTERS, (f"{name}:{ASIDE}",))
            return
        _move_tables(connection, in_use, ASIDE, PREVIOUS)
        connection.execute(ADOPT_LETTERS, (f"{name}:{PREVIOUS}", f"{name}:{ASIDE}"))
        builds.put(connection, name, PREVIOUS, live_digest, in_use, position=live, target=live, indexed=True)


def _move_tables(connection: Connection[Any], tables: Sequence[str], source: str, target: str) -> None:
    for table in tables:
        connection.execute(f"alter table {source}.{table} set schema {target}")


@contextmanager
def _handed_over(shop: Workshop, live: str, digest: str) -> Iterator[None]:
    """Hold the runner's lock of the projection if its shape changes; restore the digest if the switch fails."""
    if live == digest:
        yield
        return
    name, connection = shop.name, shop.connection
    connection.execute(MARK, (f"{SWITCHING}{live}", name))
    try:
        try:
            wait_for_lock(connection, RUNNER_LOCK, name)
        except psycopg.errors.LockNotAvailable as error:
            holder = holder_of(connection, RUNNER_LOCK, name)
            message = f"the process that runs {name} did not release its lock in time, {holder}; try again"
            raise HandOverRefused(message) from error
        yield
    except BaseException:
        if not connection.closed:
            connection.execute(MARK, (live, name))
            unlock(connection, RUNNER_LOCK, name)
        raise
    unlock(connection, RUNNER_LOCK, name)
