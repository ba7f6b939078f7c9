"""A read model built anew from the log, beside the one in use, and put in its place; and the steps of this by hand."""

import time
from typing import Any

from projections import building
from projections.building import RebuildRunning, Workshop, discard, workshop
from projections.builds import BUILDING, PREVIOUS, TableBuild
from projections.locks import REBUILD_LOCK
from projections.projection import Projection
from projections.switching import Switched, built_tables, previous_tables, replaced_digests, switch
from projections.tables import stale_names
from store.datastore import Datastore
from store.lists.kept import Rebuilt
from store.progress import Progress
from store.reading import count

__all__ = [
    "REBUILD_LOCK",
    "RebuildRunning",
    "Rebuilt",
    "build",
    "build_and_switch",
    "build_if_stale",
    "promote",
    "rebuild",
    "rollback",
]


def rebuild(datastore: Datastore, projection: Projection[Any], progress: Progress, *, resume: bool = False) -> Rebuilt:
    """Build the tables of `projection` anew, dead letters included; switch to them and drop the old tables.

    The tables in use stay readable, and the process that runs the projection keeps them up, until the switch replaces
    them at exactly their position (or further on, if they were behind). An interruption leaves them as they were.
    resume: continue an interrupted build. Default: begin anew. progress: called with positions done and to do.
    Raises RebuildRunning, UnknownEventMet, HandOverRefused, pages.Broken when the tables cannot be written, or
    psycopg.OperationalError in an outage.
    """
    begun = time.perf_counter()
    with workshop(datastore, projection, progress) as shop:
        building.build(shop, resume=resume)
        switched = switch(datastore, shop, built_tables(shop), keep=False)
        return _rebuilt(shop, switched.position, begun)


def build_and_switch(datastore: Datastore, projection: Projection[Any], progress: Progress) -> Rebuilt:
    """Continue or begin a build of the tables of `projection`, switch to them, keep those that were in use.

    Raises what rebuild raises.
    """
    with workshop(datastore, projection, progress) as shop:
        return _build_and_switch(datastore, shop)


def build_if_stale(datastore: Datastore, projection: Projection[Any], progress: Progress) -> Rebuilt | None:
    """Do the same for tables of another shape; None: theirs is right, or another release has replaced that of this one.

    A caller that reads this before the lock is held may read the middle of a switch. Raises what rebuild raises.
    """
    with workshop(datastore, projection, progress) as shop:
        if not stale_names(shop.connection, [projection]):
            return None
        if (projection.name, projection.digest) in replaced_digests(shop.connection):
            return None
        return _build_and_switch(datastore, shop)


def _build_and_switch(datastore: Datastore, shop: Workshop) -> Rebuilt:
    begun = time.perf_counter()
    building.build(shop, resume=True)
    switched = switch(datastore, shop, built_tables(shop))
    return _rebuilt(shop, switched.position, begun)


def build(datastore: Datastore, projection: Projection[Any], progress: Progress, *, resume: bool = False) -> Rebuilt:
    """Build the tables of `projection` anew beside those in use, for promote. Raises what rebuild raises.

    resume: continue an interrupted build. Default: begin anew.
    """
    begun = time.perf_counter()
    with workshop(datastore, projection, progress) as shop:
        return _rebuilt(shop, building.build(shop, resume=resume), begun)


def promote(
    datastore: Datastore, projection: Projection[Any], progress: Progress, *, dry_run: bool = False
) -> Switched:
    """Switch to the tables built, and keep those in use as the previous ones.

    dry_run: only return what would be switched to. Raises NothingToSwitchTo, and what rebuild raises.
    """
    with workshop(datastore, projection, progress) as shop:
        found = built_tables(shop)
        return _would(shop, found) if dry_run else switch(datastore, shop, found)


def rollback(
    datastore: Datastore, projection: Projection[Any], progress: Progress, *, dry_run: bool = False
) -> Switched:
    """Switch back to the previous tables, brought up to date if this release defines them; keep those in use.

    Tables of another shape are in use from their own position on: the release that defines them brings them up to date.
    dry_run: only return what would be switched to. Raises NothingToSwitchTo, and what rebuild raises.
    """
    with workshop(datastore, projection, progress, PREVIOUS) as shop:
        found = previous_tables(shop)
        return _would(shop, found) if dry_run else switch(datastore, shop, found)


def drop(datastore: Datastore, projection: Projection[Any], *, dry_run: bool = False) -> list[str]:
    """Drop the tables of `projection` that are not in use; return which: ``building``, ``previous``."""
    with workshop(datastore, projection, lambda _done, _total: None) as shop:
        found = [slot for slot in (BUILDING, PREVIOUS) if shop.find(slot) is not None]
        if not dry_run:
            with shop.connection.transaction():
                for slot in found:
                    discard(shop, slot)
        return found


def _would(shop: Workshop, found: TableBuild) -> Switched:
    return Switched(found.position, found.digest != shop.projection.digest)


def _rebuilt(shop: Workshop, position: int, begun: float) -> Rebuilt:
    seconds = time.perf_counter() - begun
    return Rebuilt(count(shop.reader, position), seconds)
