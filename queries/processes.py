"""Processes: the list, one in detail, and its published versions."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound, ProcessNotFound
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, page_of, read_cursor, write_cursor
from queries.process_days import RecentOutcomes, recent_outcomes
from queries.reading import Reading, fetch
from queries.slots import SlotsOfProcess, slots_of

CATALOGUE = "process_catalogue"

_SUMMARY = """p.process_id, p.name, p.status, p.revision, nullif(p.latest_version, 0) as version,
  p.draft_source is not null as has_draft, p.description, coalesce(p.labels, '[]'::json) as labels, p.owner,
  p.created_at, p.updated_at, p.published_at, p.last_execution_id, p.last_execution_status, p.last_started_at,
  p.started, p.completed, p.failed, p.cancelled,
  (select c.executions from archived_counts c where c.process_id = p.process_id) as archived,
  p.pause, p.pause_reason, p.paused_since, p.paused_by"""
_LIST = f"select {_SUMMARY} from process_catalogue p where {{where}} order by p.name limit %(rows)s"
_DETAIL = f"""select {_SUMMARY}, v.definition, coalesce(p.draft_source, v.source) as yaml, p.draft_source
from process_catalogue p
left join process_versions v on v.process_id = p.process_id and v.version = p.latest_version
where p.process_id = %s"""
_VERSION = """select v.process_id, p.name, v.version, v.definition, v.source as yaml, v.published_at, v.actor
from process_versions v join process_catalogue p using (process_id) where v.process_id = %s and v.version = %s"""

_COUNTS = ("started", "completed", "failed", "cancelled", "archived")

_NEXT_RUNS = """select distinct on (process_id) process_id, schedule_id, next_at as at from schedule_list
where process_id = any(%s) and in_force = 1 and coalesce(paused, 0) = 0 and next_at is not null
order by process_id, next_at, schedule_id"""
_NEXT_RUN = """select s.schedule_id, s.next_at as at from schedule_list s
where s.process_id = %s and s.in_force = 1 and coalesce(s.paused, 0) = 0 and s.next_at is not null
  and not exists (select from process_catalogue p where p.process_id = s.process_id and p.pause <> '')
order by s.next_at, s.schedule_id limit 1"""


class LastRun(msgspec.Struct, frozen=True):
    """The execution that was started last."""

    execution_id: UUID
    status: str
    started_at: datetime


class Counts(msgspec.Struct, frozen=True):
    """The numbers of executions that began, and that ended in each way. archived: of these, in files alone."""

    started: int
    completed: int
    failed: int
    cancelled: int
    archived: int = 0


class PauseOfProcess(msgspec.Struct, frozen=True):
    """A pause that lasts. mode: what becomes of a start: it waits in order (queue), or is refused (refuse)."""

    mode: str
    reason: str
    since: datetime
    actor: str


class ProcessSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A process in the list. version: the latest published; success_rate: of those completed or failed, 0 to 1.

    success_rate_30d: of those that ended in 30 complete days and today, in UTC. paused: None when executions may start.
    """

    process_id: UUID
    name: str
    status: str
    revision: int
    version: int | None
    has_draft: bool
    description: str | None
    labels: msgspec.Raw
    owner: str | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    last_run: LastRun | None
    executions: Counts
    success_rate: float | None
    success_rate_30d: float | None = None
    paused: PauseOfProcess | None = None


class StepRoles(msgspec.Struct, frozen=True):
    """The roles of a step: the agent that executes it, its monitors, and the recipients of its news."""

    step: str
    executor: str | None
    monitors: list[str]
    informed: list[str]


class NextRun(msgspec.Struct, frozen=True):
    """The next instant that a schedule of the process expects, with its jitter."""

    schedule_id: UUID
    at: datetime


class ProcessDraft(msgspec.Struct, frozen=True):
    """The draft of a process. revision: for If-Match. definition: None while the text has errors."""

    revision: int
    definition: Any
    yaml: str


class ProcessDetail(ProcessSummary, frozen=True, kw_only=True):
    """A process. definition: of the latest version; yaml: the draft's text, else that of the latest version.

    draft: None when there is nothing unpublished. slots: None when any number of executions may run at once.
    """

    definition: msgspec.Raw
    yaml: str | None
    draft: ProcessDraft | None
    next_run: NextRun | None
    triggers: msgspec.Raw
    roles: list[StepRoles]
    as_of_position: int
    lag_seconds: float
    slots: SlotsOfProcess | None = None


class ProcessVersion(msgspec.Struct, frozen=True):
    """A published version."""

    process_id: UUID
    name: str
    version: int
    definition: msgspec.Raw
    yaml: str
    published_at: datetime
    actor: str | None
    as_of_position: int
    lag_seconds: float


class ProcessFilter(msgspec.Struct, frozen=True):
    """A filter of processes: OR within a field, AND between fields. within: names, or beginnings as ``claims-*``."""

    names: list[str] = []
    statuses: list[str] = []
    owners: list[str] = []
    within: tuple[str, ...] = ()


class _Roles(msgspec.Struct, frozen=True):
    monitors: list[str] = []
    informed: list[str] = []


class _Step(msgspec.Struct, frozen=True):
    id: str
    agent: str | None = None
    roles: _Roles = _Roles()
    steps: list["_Step"] = []


class _Definition(msgspec.Struct, frozen=True):
    steps: list[_Step] = []
    triggers: msgspec.Raw = msgspec.Raw(b"[]")
    max_running: int | dict[str, Any] | None = None


_NULL = msgspec.Raw(b"null")
_decode_definition = msgspec.json.Decoder(_Definition).decode


def list_processes(
    reading: Reading,
    filter: ProcessFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ProcessSummary]:
    """Return processes by name. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    where.add("p.name > {}", read_cursor("p", cursor) if cursor is not None else None)
    where.any_of("p.name", filter.names, "text")
    where.any_of("p.status", filter.statuses, "text")
    where.any_of("p.owner", filter.owners, "text")
    where.within("p.name", filter.within)
    with reading.of(CATALOGUE, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    recent = recent_outcomes(reading, [row["process_id"] for row in rows])
    summaries = [ProcessSummary(**_shaped(row, recent)) for row in rows]
    return page_of(summaries, limit, freshness, lambda row: write_cursor("p", row.name))


def next_runs(reading: Reading, process_ids: Collection[UUID]) -> dict[UUID, NextRun]:
    """Return the next run of each of some processes that has one."""
    with reading.of(CATALOGUE) as (connection, _):
        rows = fetch(connection, _NEXT_RUNS, (list(process_ids),))
    return {row["process_id"]: NextRun(row["schedule_id"], row["at"]) for row in rows}


def _step_roles(steps: list[_Step], around: str) -> Iterator[StepRoles]:
    """Yield the roles of each step; the id of one inside another step is `outer/inner`."""
    for step in steps:
        yield StepRoles(around + step.id, step.agent, step.roles.monitors, step.roles.informed)
        yield from _step_roles(step.steps, f"{around}{step.id}/")


def get_process(reading: Reading, process_id: UUID, *, min_position: int | None = None) -> ProcessDetail:
    """Return one process. Raises NotFound or NotYet."""
    with reading.of(CATALOGUE, min_position) as (connection, freshness):
        rows = fetch(connection, _DETAIL, (process_id,))
        following = fetch(connection, _NEXT_RUN, (process_id,))
        if not rows:
            raise ProcessNotFound("there is no such process")
        row = rows[0]
        document, source = row.pop("definition"), row.pop("draft_source")
        definition = _decode_definition(document) if document is not None else _Definition()
        slots = slots_of(connection, process_id, definition.max_running)
    return ProcessDetail(
        **_shaped(row, recent_outcomes(reading, [process_id])),
        definition=document if document is not None else _NULL,
        next_run=NextRun(**following[0]) if following else None,
        draft=None if source is None else _draft(source, row["revision"]),
        triggers=definition.triggers,
        roles=[*_step_roles(definition.steps, "")],
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
        slots=slots,
    )


def get_process_version(
    reading: Reading, process_id: UUID, version: int, *, min_position: int | None = None
) -> ProcessVersion:
    """Return one published version. Raises NotFound or NotYet."""
    with reading.of(CATALOGUE, min_position) as (connection, freshness):
        rows = fetch(connection, _VERSION, (process_id, version))
    if not rows:
        raise NotFound(f"there is no such process, or it has no version {version}")
    return ProcessVersion(**rows[0], as_of_position=freshness.as_of_position, lag_seconds=freshness.lag_seconds)


def _draft(source: str, revision: int) -> ProcessDraft:
    # Imported here: no other query needs the language.
    from domain.language import definition_document, parse_definition

    definition = parse_definition(source).definition
    return ProcessDraft(revision, None if definition is None else definition_document(definition), source)


def _shaped(row: DictRow, recent: Mapping[UUID, RecentOutcomes]) -> DictRow:
    execution_id, status, started_at = (
        row.pop(name) for name in ("last_execution_id", "last_execution_status", "last_started_at")
    )
    mode, *pause = (row.pop(name) for name in ("pause", "pause_reason", "paused_since", "paused_by"))
    row["paused"] = PauseOfProcess(mode, *pause) if mode else None
    counts = Counts(*(row.pop(name) or 0 for name in _COUNTS))
    ended = counts.completed + counts.failed
    row["last_run"] = None if execution_id is None else LastRun(execution_id, status, started_at)
    row["executions"] = counts
    row["success_rate"] = round(counts.completed / ended, 4) if ended else None
    outcomes = recent.get(row["process_id"])
    rate = None if outcomes is None else outcomes.success_rate
    row["success_rate_30d"] = None if rate is None else round(rate, 4)
    return row
