"""One portion: written to files, read back and compared with the log, and then removed from it in one transaction."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection

from domain.archive.archive import Archive, ArchivedPortion, archive_portion
from domain.event import Cause
from domain.identity import ARCHIVE_ID
from projections import ALL
from projections.archived_figures import figures_of
from projections.archiving.trees import LeavingTree
from store.archive import locks, parquet, removing
from store.archive.manifest import (
    FORMAT,
    SUFFIX,
    ArchiveDamaged,
    ArchivedExecution,
    Manifest,
    digest_of_file,
    digest_of_ids,
    write_whole,
)
from store.archive.verifying import digest_of
from store.columns import Columns
from store.recorder import LogRecorder
from store.unit import Unit

EVENTS, RESULTS = "parquet", "results.parquet"


class ReadModelsBusy(RuntimeError):
    """A read model or a list is being built from the log, so that nothing may leave the log now."""


class LeavingPortion:
    """Some execution trees on their way out of the log. number: of the portion, from 1."""

    def __init__(self, number: int, trees: Sequence[LeavingTree]) -> None:
        self.trees = list(trees)
        self.executions: list[ArchivedExecution] = [each for tree in trees for each in tree.executions]
        self.ids = [each.execution_id for each in self.executions]
        self.events = sum(tree.events for tree in trees)
        self.digest = digest_of_ids(self.ids)
        # Executions leave once, so that a file of this name can only be of an attempt that was interrupted.
        self.stem = f"{number:06d}-{self.digest[:12]}"

    def write(self, connection: Connection[Any], folder: Path) -> Manifest:
        """Write the files and the manifest, then compare the files with the log. Raises ArchiveDamaged."""
        path, beside = folder / f"{self.stem}.{EVENTS}", folder / f"{self.stem}.{RESULTS}"
        with connection.transaction():
            parquet.write_events(path, removing.event_pages(connection, self.ids))
        with connection.transaction():
            results = sum(len(page) for page in removing.result_pages(connection, self.ids))
        if results:
            with connection.transaction():
                parquet.write_results(beside, removing.result_pages(connection, self.ids))
        manifest = Manifest(
            FORMAT,
            path.name,
            digest_of_file(path),
            path.stat().st_size,
            self.events,
            min(tree.first for tree in self.trees),
            max(tree.last for tree in self.trees),
            self.digest,
            self.executions,
            results,
            beside.name if results else "",
            digest_of_file(beside) if results else "",
        )
        self._compare(connection, folder, manifest)
        write_whole(folder / f"{self.stem}{SUFFIX}", msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        return manifest

    def remove(
        self,
        connection: Connection[Any],
        recorder: LogRecorder,
        archive: Archive,
        manifest: Manifest,
        manifest_digest: str,
        ended_before: datetime,
        cause: Cause,
    ) -> int:
        """Record the portion, keep its figures and remove its events, in one transaction; return the event's position.

        Raises ChangedMeanwhile, ReadModelsBusy, or psycopg.errors.UniqueViolation beside another archiving command.
        """
        figures = figures_of(connection, ALL, lambda: removing.event_pages(connection, self.ids))
        portion = ArchivedPortion(
            ended_before=ended_before,
            manifest_sha256=manifest_digest,
            trees=len(self.trees),
            executions=len(self.executions),
            figures_sha256=digest_of(figures),
            **{name: getattr(manifest, name) for name in Manifest.__struct_fields__ if name in _SHARED},
        )
        columns = Columns()
        columns.add(Unit(ARCHIVE_ID, archive.version, archive_portion(archive, portion, cause)))
        with connection.transaction():
            # The commit of everything else on this connection need not wait for the disk.
            connection.execute("set local synchronous_commit = on")
            if not locks.try_alone(connection):
                raise ReadModelsBusy(
                    "a read model is being built from the log; wait for its end, then repeat the command"
                )
            removing.remove(connection, [tree.root for tree in self.trees], self.ids, events=self.events)
            # From here to the commit the log takes no other append.
            position = recorder.append(connection, columns)
            removing.require_gone(connection, self.ids)
            removing.record_archived(connection, position, self.executions)
            removing.keep_figures(connection, position, figures)
        return position

    def _compare(self, connection: Connection[Any], folder: Path, manifest: Manifest) -> None:
        with connection.transaction():
            _require_equal(
                _each(removing.event_pages(connection, self.ids)),
                parquet.read_events(folder / manifest.file),
                self.events,
            )
        if manifest.results_file:
            with connection.transaction():
                stored = _each(removing.result_pages(connection, self.ids))
                _require_equal(stored, parquet.read_results(folder / manifest.results_file), manifest.results)


_SHARED = frozenset(ArchivedPortion.__struct_fields__) - {"executions"}


def _each(pages: Iterator[Sequence[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
    for page in pages:
        yield from page


def _require_equal(stored: Iterator[tuple[Any, ...]], written: Iterator[tuple[Any, ...]], rows: int) -> None:
    found = 0
    for one, other in zip_longest(stored, written):
        if one is None or other is None or tuple(one) != tuple(other):
            raise ArchiveDamaged("a row of the file differs from the log; nothing was removed")
        found += 1
    if found != rows:
        raise ArchiveDamaged(f"the file has {found} rows instead of {rows}; nothing was removed")
