"""The catalogue of processes, with their versions and the outcomes of their executions: a row a process."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections import newest_executions
from projections.facts import STATUS_OF_EXECUTION, Fact
from projections.kept_tables import KeptTable
from projections.newest_executions import Now
from projections.projection import Handler, Projection, clean
from projections.table import OFTEN_UPDATED, Table, first, fixed, key, latest, since, total
from projections.upserts import Column


class ProcessRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    revision: stated exactly by an event of the process itself. drafted_at: the revision that last stated whether there
    is a draft. latest_version: stated exactly by a publication. pause: the mode of the pause that lasts, empty without
    one; paused_since is that of its last change.
    """

    process_id: Annotated[bytes, key("uuid")]
    name: Annotated[str | None, latest("text unique")] = None
    status: Annotated[str | None, latest("text")] = None
    revision: Annotated[int | None, latest("int")] = None
    drafted_at: Annotated[int | None, latest("int")] = None
    draft_source: Annotated[str | None, since("text", "drafted_at")] = None
    latest_version: Annotated[int | None, latest("int")] = None
    description: Annotated[str | None, since("text", "latest_version")] = None
    labels: Annotated[msgspec.Raw | None, since("json", "latest_version")] = None
    owner: Annotated[str | None, since("text", "latest_version")] = None
    created_at: Annotated[datetime | None, first("timestamptz")] = None
    updated_at: Annotated[datetime | None, latest("timestamptz")] = None
    published_at: Annotated[datetime | None, latest("timestamptz")] = None
    pause: Annotated[str | None, latest("text")] = None
    pause_reason: Annotated[str | None, latest("text")] = None
    paused_since: Annotated[datetime | None, latest("timestamptz")] = None
    paused_by: Annotated[str | None, latest("text")] = None
    last_execution_id: Annotated[bytes | None, latest("uuid")] = None
    last_execution_status: Annotated[str | None, latest("text")] = None
    last_started_at: Annotated[datetime | None, latest("timestamptz")] = None
    started: Annotated[int, total("bigint")] = 0
    completed: Annotated[int, total("bigint")] = 0
    failed: Annotated[int, total("bigint")] = 0
    cancelled: Annotated[int, total("bigint")] = 0
    last_position: Annotated[int, Column("bigint not null", "greatest(t, x)")]


class VersionRow(msgspec.Struct, gc=False):
    """A published version; it never changes."""

    process_id: Annotated[bytes, key("uuid not null")]
    version: Annotated[int, key("int not null")]
    definition: Annotated[msgspec.Raw, fixed("json not null")]
    source: Annotated[str, fixed("text not null")]
    published_at: Annotated[datetime, fixed("timestamptz not null")]
    actor: Annotated[str, fixed("text not null")]


# An execution that is the newest of its process leaves the log after the older ones, so the last document has it.
_COUNTED = (
    "process_id",
    "last_execution_id",
    "last_execution_status",
    "last_started_at",
    "started",
    "completed",
    "failed",
    "cancelled",
    "last_position",
)
CATALOGUE = Table("process_catalogue", ProcessRow, f"fillfactor = 30, {OFTEN_UPDATED}")
VERSIONS = Table("process_versions", VersionRow)


class ProcessChanges:
    """Rows by process, versions by process and number.

    now: by process, the status of executions that started on earlier pages, until a later one starts; and the time when
    each began to run, if it did. Only the table states whether one of them is the newest.
    """

    __slots__ = ("now", "rows", "versions")

    def __init__(self) -> None:
        self.rows: dict[bytes, ProcessRow] = {}
        self.versions: dict[tuple[bytes, int], VersionRow] = {}
        self.now: dict[bytes, dict[bytes, Now]] = {}

    def row(self, process: bytes, fact: Fact) -> ProcessRow:
        """Return the row of `process`, moved to this fact."""
        row = self.rows.get(process)
        if row is None:
            row = self.rows[process] = ProcessRow(process_id=process, last_position=fact.position)
        else:
            row.last_position = fact.position
        return row


class Described(msgspec.Struct, gc=False):
    """The part of a definition that the catalogue shows."""

    description: str | None = None
    labels: msgspec.Raw = msgspec.Raw(b"[]")
    owner: str | None = None


decode_described = msgspec.json.Decoder(Described).decode


def _process_row(changes: ProcessChanges, fact: Fact) -> ProcessRow:
    row = changes.row(fact.stream, fact)
    row.name, row.revision, row.updated_at = fact.event.name, fact.version, fact.event.at
    return row


def _drafted(changes: ProcessChanges, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.status, row.created_at = "draft", fact.event.at
    row.drafted_at, row.draft_source = fact.version, fact.event.source


def _revised(changes: ProcessChanges, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.drafted_at, row.draft_source = fact.version, fact.event.source


def _published(changes: ProcessChanges, fact: Fact) -> None:
    event, described = fact.event, decode_described(fact.event.definition)
    row = _process_row(changes, fact)
    row.status, row.latest_version, row.published_at = "published", event.version, event.at
    row.drafted_at, row.draft_source = fact.version, None
    row.description, row.labels, row.owner = described.description, described.labels, described.owner
    version = VersionRow(fact.stream, event.version, event.definition, event.source, event.at, clean(event.actor))
    changes.versions.setdefault((fact.stream, event.version), version)


def _archived(changes: ProcessChanges, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.status = "archived"
    row.drafted_at, row.draft_source = fact.version, None


def _restored(changes: ProcessChanges, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.status = "published" if fact.event.version else "draft"
    row.drafted_at, row.draft_source = fact.version, fact.event.source


def _paused(changes: ProcessChanges, fact: Fact) -> None:
    row, event = _process_row(changes, fact), fact.event
    row.pause, row.pause_reason, row.paused_since = event.mode, clean(event.reason), event.at
    row.paused_by = clean(event.actor)


def _resumed(changes: ProcessChanges, fact: Fact) -> None:
    _process_row(changes, fact).pause = ""


def _execution_started(changes: ProcessChanges, fact: Fact) -> None:
    """Count the execution, unless it runs the steps inside a step: these are a part of another one."""
    process = fact.event.process_id.bytes
    if fact.event.body:
        return
    row = changes.row(process, fact)
    row.started += 1
    row.last_execution_id, row.last_execution_status = fact.stream, STATUS_OF_EXECUTION[fact.topic]
    row.last_started_at = fact.event.at
    changes.now.pop(process, None)


def _execution_queued(changes: ProcessChanges, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes)


def _execution_admitted(changes: ProcessChanges, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, started_at=fact.event.at)


def _execution_completed(changes: ProcessChanges, fact: Fact) -> None:
    if not fact.event.body:
        _execution_is(changes, fact, fact.event.process_id.bytes).completed += 1


def _execution_failed(changes: ProcessChanges, fact: Fact) -> None:
    if not fact.event.body:
        _execution_is(changes, fact, fact.event.process_id.bytes).failed += 1


def _execution_retried(changes: ProcessChanges, fact: Fact) -> None:
    if not fact.origin.body:
        _execution_is(changes, fact, fact.origin.process_id).failed -= 1


def _execution_cancelled(changes: ProcessChanges, fact: Fact) -> None:
    if not fact.event.body:
        _execution_is(changes, fact, fact.event.process_id.bytes).cancelled += 1


def _execution_is(
    changes: ProcessChanges, fact: Fact, process: bytes, *, started_at: datetime | None = None
) -> ProcessRow:
    """Return the row of the execution's process, and show the new status if the execution is the newest."""
    row, status = changes.row(process, fact), STATUS_OF_EXECUTION[fact.topic]
    if row.last_execution_id is None:
        executions = changes.now.setdefault(process, {})
        executions[fact.stream] = status, started_at or executions.get(fact.stream, ("", None))[1]
    elif row.last_execution_id == fact.stream:
        row.last_execution_status = status
        row.last_started_at = started_at or row.last_started_at
    return row


class ProcessCatalogue(Projection[ProcessChanges]):
    """process_catalogue, and every published version in process_versions."""

    name = "process_catalogue"
    tables = ("process_catalogue", "process_versions")
    ddl = CATALOGUE.ddl + VERSIONS.ddl
    kept = (KeptTable(CATALOGUE, ProcessRow, _COUNTED),)
    handlers: dict[str, Handler[ProcessChanges]] = {
        "ProcessDrafted": _drafted,
        "ProcessRevised": _revised,
        "ProcessPublished": _published,
        "ProcessArchived": _archived,
        "ProcessRestored": _restored,
        "ProcessPaused": _paused,
        "ProcessResumed": _resumed,
        "ExecutionStarted": _execution_started,
        "ExecutionQueued": _execution_queued,
        "ExecutionAdmitted": _execution_admitted,
        "ExecutionCompleted": _execution_completed,
        "ExecutionFailed": _execution_failed,
        "ExecutionCancelled": _execution_cancelled,
        "ExecutionRetried": _execution_retried,
    }

    def changes(self) -> ProcessChanges:
        return ProcessChanges()

    def write(self, connection: Connection[Any], changes: ProcessChanges) -> None:
        CATALOGUE.write(connection, changes.rows.values())
        VERSIONS.write(connection, changes.versions.values())
        newest_executions.write(connection, changes.now)
