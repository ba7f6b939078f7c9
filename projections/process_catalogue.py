"""Which processes are there, what do their versions say, and how do their executions fare: a row a process."""

from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from projections import newest_executions, process_failures
from projections.facts import Fact
from projections.newest_executions import Now
from projections.projection import Handler, Projection, clean
from store import arrays


class Row(msgspec.Struct, gc=False):
    """What a page changes in a row; None leaves a column as it is, the four counts are added.

    revision: given exactly when something happened to the process itself; draft_source is then meant even if None.
    latest_version: given exactly when it was published; description, labels and owner are then meant even if None.
    """

    last_position: int
    name: str | None = None
    status: str | None = None
    revision: int | None = None
    draft_source: str | None = None
    latest_version: int | None = None
    description: str | None = None
    labels: bytes | None = None
    owner: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    published_at: datetime | None = None
    last_execution_id: bytes | None = None
    last_execution_status: str | None = None
    last_started_at: datetime | None = None
    started: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


class Version(msgspec.Struct, gc=False):
    """A published version."""

    definition: bytes
    source: str
    published_at: datetime
    actor: str


class Changes:
    """Rows by process, versions by process and number.

    now: by process, what became of executions that started on earlier pages, for as long as none of it started later:
    one of them may be the newest, which only the table knows. Status, and since when if that is its start.
    failed: executions that failed, with their process; None for those that failed no more when the page ended.
    retried: executions that went on after a failure on an earlier page, and where; only the table knows their process.
    """

    __slots__ = ("failed", "now", "retried", "rows", "versions")

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}
        self.versions: dict[tuple[bytes, int], Version] = {}
        self.now: dict[bytes, dict[bytes, Now]] = {}
        self.failed: dict[bytes, bytes | None] = {}
        self.retried: dict[bytes, int] = {}

    def row(self, process: bytes, fact: Fact) -> Row:
        """The row of `process`, which has moved to this fact."""
        row = self.rows.get(process)
        if row is None:
            row = self.rows[process] = Row(fact.position)
        else:
            row.last_position = fact.position
        return row


class Described(msgspec.Struct, gc=False):
    """What the catalogue shows of a definition."""

    description: str | None = None
    labels: msgspec.Raw = msgspec.Raw(b"[]")
    owner: str | None = None


decode_described = msgspec.json.Decoder(Described).decode


def _process_row(changes: Changes, fact: Fact) -> Row:
    row = changes.row(fact.stream, fact)
    row.name, row.revision, row.updated_at = fact.event.name, fact.version, fact.event.at
    return row


def _drafted(changes: Changes, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.status, row.draft_source, row.created_at = "draft", fact.event.source, fact.event.at


def _revised(changes: Changes, fact: Fact) -> None:
    _process_row(changes, fact).draft_source = fact.event.source


def _published(changes: Changes, fact: Fact) -> None:
    event, described = fact.event, decode_described(fact.event.definition)
    row = _process_row(changes, fact)
    row.status, row.draft_source, row.latest_version, row.published_at = "published", None, event.version, event.at
    row.description, row.labels, row.owner = described.description, bytes(described.labels), described.owner
    version = Version(bytes(event.definition), event.source, event.at, clean(event.actor))
    changes.versions.setdefault((fact.stream, event.version), version)


def _archived(changes: Changes, fact: Fact) -> None:
    row = _process_row(changes, fact)
    row.status, row.draft_source = "archived", None


def _execution_started(changes: Changes, fact: Fact) -> None:
    process = fact.event.process_id.bytes
    row = changes.row(process, fact)
    row.started += 1
    row.last_execution_id, row.last_execution_status, row.last_started_at = fact.stream, "running", fact.event.at
    changes.now.pop(process, None)


def _execution_queued(changes: Changes, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, "queued")


def _execution_admitted(changes: Changes, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, "running", started_at=fact.event.at)


def _execution_completed(changes: Changes, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, "completed").completed += 1


def _execution_failed(changes: Changes, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, "failed").failed += 1
    changes.failed[fact.stream] = fact.event.process_id.bytes


def _execution_retried(changes: Changes, fact: Fact) -> None:
    process = changes.failed.get(fact.stream)
    if process is not None:
        _execution_is(changes, fact, process, "running").failed -= 1
    elif fact.stream not in changes.failed:
        changes.retried[fact.stream] = fact.position
    changes.failed[fact.stream] = None


def _execution_cancelled(changes: Changes, fact: Fact) -> None:
    _execution_is(changes, fact, fact.event.process_id.bytes, "cancelled").cancelled += 1


def _execution_is(
    changes: Changes, fact: Fact, process: bytes, status: str, *, started_at: datetime | None = None
) -> Row:
    row = changes.row(process, fact)
    if row.last_execution_id is None:
        executions = changes.now.setdefault(process, {})
        executions[fact.stream] = status, started_at or executions.get(fact.stream, ("", None))[1]
    elif row.last_execution_id == fact.stream:
        row.last_execution_status = status
        row.last_started_at = started_at or row.last_started_at
    return row


_OF_PROCESS = ("name", "status", "revision", "latest_version", "updated_at", "published_at")
_OF_EXECUTIONS = ("last_execution_id", "last_execution_status", "last_started_at")
_COUNTS = ("started", "completed", "failed", "cancelled")
UPSERT = f"""
insert into process_catalogue as t (
  process_id, name, status, revision, draft_source, latest_version, description, labels, owner, created_at, updated_at,
  published_at, last_execution_id, last_execution_status, last_started_at, started, completed, failed, cancelled,
  last_position)
select * from unnest({", ".join(["%b"] * 20)})
on conflict (process_id) do update set
  {", ".join(f"{column} = coalesce(excluded.{column}, t.{column})" for column in (*_OF_PROCESS, *_OF_EXECUTIONS))},
  {", ".join(f"{column} = t.{column} + excluded.{column}" for column in _COUNTS)},
  draft_source = case when excluded.revision is null then t.draft_source else excluded.draft_source end,
  description = case when excluded.latest_version is null then t.description else excluded.description end,
  labels = case when excluded.latest_version is null then t.labels else excluded.labels end,
  owner = case when excluded.latest_version is null then t.owner else excluded.owner end,
  created_at = coalesce(t.created_at, excluded.created_at),
  last_position = excluded.last_position"""

UPSERT_VERSIONS = """
insert into process_versions as t (process_id, version, definition, source, published_at, actor)
select * from unnest(%b, %b, %b, %b, %b, %b)
on conflict (process_id, version) do nothing"""


class ProcessCatalogue(Projection[Changes]):
    """process_catalogue, every published version in process_versions, and which executions failed."""

    name = "process_catalogue"
    tables = ("process_catalogue", "process_versions", "process_failures")
    ddl = f"""
    create table process_catalogue (
      process_id uuid primary key,
      name text unique,
      status text,
      revision int,
      draft_source text,
      latest_version int,
      description text,
      labels json,
      owner text,
      created_at timestamptz,
      updated_at timestamptz,
      published_at timestamptz,
      last_execution_id uuid,
      last_execution_status text,
      last_started_at timestamptz,
      started bigint not null,
      completed bigint not null,
      failed bigint not null,
      cancelled bigint not null,
      last_position bigint not null
    ) with (fillfactor = 30, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
    create table process_versions (
      process_id uuid not null,
      version int not null,
      definition json not null,
      source text not null,
      published_at timestamptz not null,
      actor text not null,
      primary key (process_id, version)
    );
    {process_failures.DDL}
    """
    handlers: dict[str, Handler[Changes]] = {
        "ProcessDrafted": _drafted,
        "ProcessRevised": _revised,
        "ProcessPublished": _published,
        "ProcessArchived": _archived,
        "ExecutionStarted": _execution_started,
        "ExecutionQueued": _execution_queued,
        "ExecutionAdmitted": _execution_admitted,
        "ExecutionCompleted": _execution_completed,
        "ExecutionFailed": _execution_failed,
        "ExecutionCancelled": _execution_cancelled,
        "ExecutionRetried": _execution_retried,
    }

    def changes(self) -> Changes:
        return Changes()

    def write(self, connection: Connection[Any], changes: Changes) -> None:
        if changes.rows:
            connection.execute(UPSERT, _columns(changes.rows), prepare=True)
        if changes.versions:
            connection.execute(UPSERT_VERSIONS, _version_columns(changes.versions), prepare=True)
        process_failures.write(connection, changes.retried, changes.failed)
        newest_executions.write(connection, changes.now)


def _columns(changed: dict[bytes, Row]) -> tuple[arrays.Array, ...]:
    rows = changed.values()
    return (
        arrays.uuid_bytes(list(changed)),
        arrays.texts([row.name for row in rows]),
        arrays.texts([row.status for row in rows]),
        arrays.ints([row.revision for row in rows]),
        arrays.texts([row.draft_source for row in rows]),
        arrays.ints([row.latest_version for row in rows]),
        arrays.texts([row.description for row in rows]),
        arrays.jsons([row.labels for row in rows]),
        arrays.texts([row.owner for row in rows]),
        arrays.timestamptzs([row.created_at for row in rows]),
        arrays.timestamptzs([row.updated_at for row in rows]),
        arrays.timestamptzs([row.published_at for row in rows]),
        arrays.uuid_bytes([row.last_execution_id for row in rows]),
        arrays.texts([row.last_execution_status for row in rows]),
        arrays.timestamptzs([row.last_started_at for row in rows]),
        arrays.bigints([row.started for row in rows]),
        arrays.bigints([row.completed for row in rows]),
        arrays.bigints([row.failed for row in rows]),
        arrays.bigints([row.cancelled for row in rows]),
        arrays.bigints([row.last_position for row in rows]),
    )


def _version_columns(versions: dict[tuple[bytes, int], Version]) -> tuple[arrays.Array, ...]:
    rows = versions.values()
    return (
        arrays.uuid_bytes([process for process, _ in versions]),
        arrays.ints([version for _, version in versions]),
        arrays.jsons([row.definition for row in rows]),
        arrays.texts([row.source for row in rows]),
        arrays.timestamptzs([row.published_at for row in rows]),
        arrays.texts([row.actor for row in rows]),
    )
