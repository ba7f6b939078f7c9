"""Events of the archive; each class is stored under its own name for ever."""

from datetime import datetime

from domain.event import Event, stored


@stored("ArchivingStarted")
class ArchivingStarted(Event, frozen=True, kw_only=True):
    """An operator begins to move executions that ended before a time to files.

    directory: of the files, on the host of the command.
    """

    ended_before: datetime
    directory: str


@stored("ExecutionsArchived")
class ExecutionsArchived(Event, frozen=True, kw_only=True):
    """Whole execution trees left the log for a file; the database lists their ids by the position of this event.

    portion: its number, from 1. file: its name, without the directory. sha256: of the bytes of the file.
    manifest_sha256: of the manifest beside it. results: number of results that were stored beside the log.
    results_file: their file; empty without any. results_sha256: of its bytes. executions_sha256: of the ids of the
    executions, 16 bytes each, in ascending order. figures_sha256: of the rows that stay in the database for figures.
    """

    portion: int
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
