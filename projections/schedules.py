"""Schedules, with the rule in force, the next run and the last one: a row a schedule."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, always, first, key, latest, replaced

OCCURRENCES = {
    "ScheduleFired": "started",
    "ScheduleOccurrenceSkipped": "skipped",
    "ScheduleOccurrenceMissed": "missed",
    "ScheduleOccurrenceCoalesced": "coalesced",
    "ScheduleOccurrenceBackfilled": "backfilled",
    "ScheduleOccurrenceMoved": "moved",
    "ScheduleOccurrenceHeld": "waiting",
}
"""The outcome of the instant of each event."""


class ScheduleRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is, but for next_at.

    run_at, run_id, run_outcome: of the last execution that it started. outcome, outcome_at: of the last instant.
    """

    schedule_id: Annotated[bytes, key("uuid")]
    process_id: Annotated[bytes | None, first("uuid")] = None
    process: Annotated[str | None, first("text")] = None
    trigger_id: Annotated[str | None, first("text")] = None
    version: Annotated[int | None, latest("int")] = None
    rule: Annotated[msgspec.Raw | None, latest("json")] = None
    calendars: Annotated[msgspec.Raw | None, latest("json")] = None
    anchor: Annotated[datetime | None, latest("timestamptz")] = None
    in_force: Annotated[int | None, latest("int")] = None
    paused: Annotated[int | None, latest("int")] = None
    reason: Annotated[str | None, latest("text")] = None
    next_at: Annotated[datetime | None, replaced("timestamptz")] = None
    run_at: Annotated[datetime | None, latest("timestamptz")] = None
    run_id: Annotated[bytes | None, latest("uuid")] = None
    run_outcome: Annotated[str | None, latest("text")] = None
    outcome: Annotated[str | None, latest("text")] = None
    outcome_at: Annotated[datetime | None, latest("timestamptz")] = None
    failures: Annotated[int | None, latest("int")] = None
    last_position: Annotated[int, always("bigint")]


class PausedProcessRow(msgspec.Struct, gc=False, kw_only=True):
    """Whether a process is paused, so that its schedules skip their runs. pause: its mode; empty after the pause."""

    process_id: Annotated[bytes, key("uuid")]
    pause: Annotated[str, always("text")]
    last_position: Annotated[int, always("bigint")]


PAUSED = Table("paused_processes", PausedProcessRow)
SCHEDULES = Table("schedule_list", ScheduleRow, "fillfactor = 70")
ScheduleChanges = dict[bytes, ScheduleRow | PausedProcessRow]
"""By the id of a schedule, or of a process."""


def _row(changes: ScheduleChanges, fact: Fact) -> ScheduleRow:
    row = changes.get(fact.stream)
    if not isinstance(row, ScheduleRow):
        row = changes[fact.stream] = ScheduleRow(schedule_id=fact.stream, last_position=0)
    row.last_position, row.next_at = fact.position, fact.event.next_at
    return row


def _registered(changes: ScheduleChanges, fact: Fact) -> None:
    row, event = _row(changes, fact), fact.event
    if row.process_id is None:
        row.process_id, row.process, row.trigger_id = event.process_id.bytes, event.process, event.trigger_id
    row.version, row.rule, row.calendars, row.anchor = event.version, event.rule, event.calendars, event.anchor
    row.in_force = 1


def _removed(changes: ScheduleChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.in_force, row.paused, row.reason = 0, 0, clean(fact.event.reason)


def _paused(changes: ScheduleChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.paused, row.reason = 1, clean(fact.event.reason)


def _resumed(changes: ScheduleChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.paused, row.failures = 0, 0


def _ended(changes: ScheduleChanges, fact: Fact) -> None:
    _row(changes, fact).failures = fact.event.failures


def _occurred(changes: ScheduleChanges, fact: Fact) -> None:
    row, event, outcome = _row(changes, fact), fact.event, OCCURRENCES[fact.topic]
    row.outcome, row.outcome_at = outcome, event.scheduled_at
    if outcome in ("started", "backfilled"):
        row.run_at, row.run_id, row.run_outcome = event.scheduled_at, event.execution_id.bytes, outcome


def _process_paused(changes: ScheduleChanges, fact: Fact) -> None:
    pause = fact.event.mode if fact.topic == "ProcessPaused" else ""
    changes[fact.stream] = PausedProcessRow(process_id=fact.stream, pause=pause, last_position=fact.position)


class SchedulesProjection(Projection[ScheduleChanges]):
    """schedule_list and paused_processes. The calculator says in words, when the row is read, what the rule says."""

    name = "schedules"
    tables = ("schedule_list", "paused_processes")
    ddl = SCHEDULES.ddl + PAUSED.ddl
    indexes = (
        "create index schedule_list_next_idx on schedule_list (next_at, schedule_id)",
        "create index schedule_list_process_idx on schedule_list (process_id)",
    )
    handlers: dict[str, Handler[ScheduleChanges]] = {
        "ScheduleRegistered": _registered,
        "ScheduleRemoved": _removed,
        "SchedulePaused": _paused,
        "ScheduleResumed": _resumed,
        "ScheduleRunEnded": _ended,
        "ScheduleRunStarted": _row,
        "ScheduleNextRunChanged": _row,
        "ProcessPaused": _process_paused,
        "ProcessResumed": _process_paused,
        **dict.fromkeys(OCCURRENCES, _occurred),
    }

    def changes(self) -> ScheduleChanges:
        return {}

    def write(self, connection: Connection[Any], changes: ScheduleChanges) -> None:
        SCHEDULES.write(connection, [row for row in changes.values() if isinstance(row, ScheduleRow)])
        PAUSED.write(connection, [row for row in changes.values() if isinstance(row, PausedProcessRow)])
