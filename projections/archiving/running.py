"""The run of an archiving command: the plan, and one portion after another until nothing more may leave."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection

from domain.archive.archive import Archive, fold, start_archiving
from domain.clock import Clock
from domain.event import Cause
from domain.identity import ARCHIVE_ID
from projections import ALL
from projections.archiving.portions import LeavingPortion
from projections.archiving.trees import LeavingTree, begin_planning, plan_to_leave, portions, trees_after
from projections.positions import Positions
from projections.rebuilding import drop
from projections.running import Runner
from store.archive.manifest import SUFFIX, Manifest, digest_of_file
from store.archive.parquet import require_parquet
from store.archive.removing import ChangedMeanwhile
from store.datastore import Datastore
from store.log import Log
from store.reading import connect
from store.unit import Unit

logger = logging.getLogger(__name__)

MOST_EVENTS, MOST_BYTES = 50_000, 64 * 1024 * 1024
"""The most of one portion; a larger tree is a portion of its own."""
WAIT_SECONDS, POLL_SECONDS = 60.0, 0.02
# Only this session's: no other one reads the rows folded aside.
ROOM = {"temp_buffers": "64MB", "work_mem": "64MB", "search_path": "pg_temp,public"}
COMMAND = "cli:archive"
NEWEST, CHANGED = "newest_of_process", "changed_meanwhile"
_POLICIES = "select min(position) as position from policy_positions"
_ASIDE = "select projection from read_table_builds where position < %s order by projection"


class ReadModelsBehind(RuntimeError):
    """Read models do not reach the event that begins the archiving: without them nothing may leave."""


class ArchivePlan(msgspec.Struct):
    """The trees that leave, or have left. size: bytes of states. stay: by reason, how many trees stay.

    dropped: the read models of which tables that were not in use are dropped.
    """

    trees: int = 0
    executions: int = 0
    events: int = 0
    size: int = 0
    stay: dict[str, int] = {}
    files: list[str] = []
    file_bytes: int = 0
    dropped: list[str] = []

    def add(self, trees: list[LeavingTree]) -> None:
        """Count trees that leave."""
        self.trees += len(trees)
        self.executions += sum(len(tree.executions) for tree in trees)
        self.events += sum(tree.events for tree in trees)
        self.size += sum(tree.size for tree in trees)


Report = Callable[[ArchivePlan], None]
"""Called after each portion."""


def plan(datastore: Datastore, ended_before: datetime) -> ArchivePlan:
    """Return what would leave the log; change nothing."""
    found = ArchivePlan()
    with closing(connect(datastore, **ROOM)) as connection:

        def leave(trees: list[LeavingTree]) -> int:
            plan_to_leave(connection, trees)
            found.add(trees)
            return len(trees)

        found.stay = _pass_over(connection, ended_before, _floor(datastore, connection), leave)
    return found


def archive(
    datastore: Datastore, clock: Clock, ended_before: datetime, folder: Path, actor: str, report: Report
) -> ArchivePlan:
    """Move ended execution trees from the log to files in `folder`; return what has left.

    Raises ParquetMissing, Malformed, ReadModelsBehind, ReadModelsBusy, ArchiveDamaged, OSError of the files, or
    psycopg.Error. Each portion that was reported before has left; a repetition goes on with the rest.
    """
    require_parquet()
    folder.mkdir(parents=True, exist_ok=True)
    done = ArchivePlan()
    with closing(Log(datastore)) as log, closing(connect(datastore, **ROOM)) as connection:
        events = start_archiving(ended_before, str(folder.resolve()), Cause(clock.now(), actor, COMMAND))
        last = begun = log.append(Unit(ARCHIVE_ID, _archive(log).version, events))
        # No read model stands at an event that leaves: its position would be one that the log does not have.
        catch_up(datastore, clock, begun)
        done.dropped = _drop_aside(datastore, connection, begun)

        def leave(trees: list[LeavingTree]) -> int:
            nonlocal last
            left = 0
            for group in portions(trees, MOST_EVENTS, MOST_BYTES):
                try:
                    manifest, last = _leave(
                        log, connection, group, folder, ended_before, Cause(clock.now(), actor, COMMAND)
                    )
                except ChangedMeanwhile as error:
                    logger.warning("%d execution trees stay: %s", len(group), error)
                    continue
                left += len(group)
                done.add(group)
                done.files.append(manifest.file)
                done.file_bytes += manifest.bytes
                report(done)
            return left

        done.stay = _pass_over(connection, ended_before, min(begun - 1, _floor(datastore, connection)), leave)
        catch_up(datastore, clock, last)
    return done


def catch_up(datastore: Datastore, clock: Clock, position: int) -> None:
    """Wait until every read model has reached a position; run those that no process runs. Raises ReadModelsBehind."""
    with _runner(datastore) as runner, closing(connect(datastore)) as connection:
        deadline = clock.monotonic() + WAIT_SECONDS
        before: dict[str, int] = {}
        while True:
            found = Positions().read(connection, [each.name for each in ALL])
            behind = {each.name: found.get(each.name, 0) for each in ALL if found.get(each.name, 0) < position}
            if not behind:
                return
            if behind != before:
                before, deadline = behind, clock.monotonic() + WAIT_SECONDS
            elif clock.monotonic() > deadline:
                names = ", ".join(f"{name} at {at}" for name, at in behind.items())
                raise ReadModelsBehind(
                    f"read models do not reach position {position}: {names}; nothing may leave the log"
                )
            runner.refresh()
            if runner.advance() == 0:
                time.sleep(POLL_SECONDS)


def _pass_over(
    connection: Connection[Any], ended_before: datetime, floor: int, leave: Callable[[list[LeavingTree]], int]
) -> dict[str, int]:
    """Call `leave` with the trees that may leave, until a pass moves none; return by reason how many stay."""
    begin_planning(connection)
    while True:
        moved, stay = 0, Counter[str]()
        for trees in _considered(connection, ended_before, floor):
            stay.update(tree.held for tree in trees if tree.held)
            free = [tree for tree in trees if not tree.held]
            left = leave(free) if free else 0
            moved += left
            if left < len(free):
                stay[CHANGED] += len(free) - left
        # The newest executions of processes wait for the older ones, which have left now.
        if not moved or NEWEST not in stay:
            return dict(sorted(stay.items()))


def _considered(connection: Connection[Any], ended_before: datetime, floor: int) -> Iterator[list[LeavingTree]]:
    after: int | None = 0
    while after is not None:
        trees, after = trees_after(connection, ended_before, after, floor)
        if trees:
            yield trees


def _leave(
    log: Log, connection: Connection[Any], trees: list[LeavingTree], folder: Path, ended_before: datetime, cause: Cause
) -> tuple[Manifest, int]:
    archive = _archive(log)
    portion = LeavingPortion(archive.portions + 1, trees)
    manifest = portion.write(connection, folder)
    digest = digest_of_file(folder / f"{portion.stem}{SUFFIX}")
    return manifest, portion.remove(connection, log.recorder, archive, manifest, digest, ended_before, cause)


def _archive(log: Log) -> Archive:
    return fold(log.stream(ARCHIVE_ID))


def _floor(datastore: Datastore, connection: Connection[Any]) -> int:
    """Return the position up to which every read model and policy has read the log."""
    found = Positions().read(connection, [each.name for each in ALL])
    row = connection.execute(_POLICIES).fetchone()
    policy = None if row is None else row["position"]
    return min(*(found.get(each.name, 0) for each in ALL), *(() if policy is None else (policy,)))


def _drop_aside(datastore: Datastore, connection: Connection[Any], position: int) -> list[str]:
    """Drop tables that are not in use and are behind: the log will not have what they lack. Return of which."""
    behind = dict.fromkeys(row["projection"] for row in connection.execute(_ASIDE, (position,)).fetchall())
    for projection in ALL:
        if projection.name in behind:
            drop(datastore, projection)
    return list(behind)


@contextmanager
def _runner(datastore: Datastore) -> Iterator[Runner]:
    runner = Runner(datastore)
    try:
        yield runner
    finally:
        runner.close()
