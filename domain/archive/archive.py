"""The state of the archive, and its decisions: one portion after another leaves the log."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.archive.events import ArchivingStarted, ExecutionsArchived
from domain.event import Cause, Event, record
from domain.refusal import Malformed


class Archive(msgspec.Struct, frozen=True):
    """All that left the log. version: events folded so far."""

    version: int = 0
    portions: int = 0
    trees: int = 0
    executions: int = 0
    events: int = 0


class ArchivedPortion(msgspec.Struct, frozen=True):
    """The content of one portion; the fields are those of `ExecutionsArchived`."""

    ended_before: datetime
    file: str
    sha256: str
    manifest_sha256: str
    trees: int
    executions: int
    events: int
    first_position: int
    last_position: int
    executions_sha256: str
    figures_sha256: str
    results: int = 0
    results_file: str = ""
    results_sha256: str = ""


def fold(events: Iterable[Event]) -> Archive:
    """Return the state after `events`, in order. Raises TypeError for an event of another noun."""
    archive = Archive()
    for event in events:
        match event:
            case ArchivingStarted():
                archive = msgspec.structs.replace(archive, version=archive.version + 1)
            case ExecutionsArchived():
                archive = Archive(
                    archive.version + 1,
                    event.portion,
                    archive.trees + event.trees,
                    archive.executions + event.executions,
                    archive.events + event.events,
                )
            case _:
                raise TypeError(f"{type(event).__name__} does not happen to the archive")
    return archive


def start_archiving(ended_before: datetime, directory: str, cause: Cause) -> list[Event]:
    """Begin to archive executions that ended before a time. Raises Malformed for a time to come."""
    if ended_before > cause.at:
        raise Malformed("only executions that ended before now can be archived", [], code="time_to_come")
    return [record(ArchivingStarted, cause, ended_before=ended_before, directory=directory)]


def archive_portion(archive: Archive, portion: ArchivedPortion, cause: Cause) -> list[Event]:
    """Record that a portion left the log."""
    return [record(ExecutionsArchived, cause, portion=archive.portions + 1, **msgspec.structs.asdict(portion))]
