"""The ledgers of schedules: a row an expected instant, with its last outcome; and their numbers, a row a day."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.schedules import OCCURRENCES
from projections.table import OFTEN_UPDATED, Table, always, key, replaced, total
from store import arrays


class OccurrenceRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row: all that the last event about the instant states.

    moved_to: the instant to which the run moved, or that stands for it.
    """

    schedule_id: Annotated[bytes, key("uuid")]
    scheduled_at: Annotated[datetime, key("timestamptz")]
    outcome: Annotated[str, always("text")]
    reason: Annotated[str | None, replaced("text")] = None
    detail: Annotated[str | None, replaced("text")] = None
    execution_id: Annotated[bytes | None, replaced("uuid")] = None
    started_at: Annotated[datetime | None, replaced("timestamptz")] = None
    lateness_ms: Annotated[int | None, replaced("bigint")] = None
    moved_to: Annotated[datetime | None, replaced("timestamptz")] = None
    rule_version: Annotated[int, always("int")]
    last_position: Annotated[int, always("bigint")]


LEDGERS = Table("schedule_occurrences", OccurrenceRow)


class ScheduleDayRow(msgspec.Struct, gc=False, kw_only=True):
    """A page adds so many outcomes to a day of a schedule, less those that it replaces. day: its begin in UTC."""

    schedule_id: Annotated[bytes, key("uuid not null")]
    day: Annotated[datetime, key("timestamptz not null")]
    started: Annotated[int, total("bigint")] = 0
    skipped: Annotated[int, total("bigint")] = 0
    missed: Annotated[int, total("bigint")] = 0
    coalesced: Annotated[int, total("bigint")] = 0
    backfilled: Annotated[int, total("bigint")] = 0
    moved: Annotated[int, total("bigint")] = 0
    waiting: Annotated[int, total("bigint")] = 0


DAYS = Table("schedule_days", ScheduleDayRow, f"fillfactor = 50, {OFTEN_UPDATED}")
BEFORE = """select x.n, o.outcome from unnest(%b, %b) with ordinality as x(schedule_id, scheduled_at, n)
join schedule_occurrences o using (schedule_id, scheduled_at)"""
OccurrenceChanges = dict[tuple[bytes, datetime], OccurrenceRow]


def _occurred(changes: OccurrenceChanges, fact: Fact) -> None:
    event, outcome = fact.event, OCCURRENCES[fact.topic]
    row = changes[fact.stream, event.scheduled_at] = OccurrenceRow(
        schedule_id=fact.stream,
        scheduled_at=event.scheduled_at,
        outcome=outcome,
        rule_version=event.version,
        last_position=fact.position,
    )
    if outcome in ("started", "backfilled"):
        row.execution_id, row.started_at = event.execution_id.bytes, event.at
    if outcome == "started":
        row.lateness_ms = min(round(event.lateness * 1000), 2**53)
    if outcome in ("skipped", "missed", "coalesced"):
        row.reason = clean(event.reason)
    if outcome == "skipped":
        row.detail = clean(event.detail) or None
    if outcome in ("moved", "coalesced"):
        row.moved_to = event.to if outcome == "moved" else event.into


class OccurrencesProjection(Projection[OccurrenceChanges]):
    """schedule_occurrences and schedule_days. A backfilled instant keeps its row and has another outcome."""

    name = "occurrences"
    tables = ("schedule_occurrences", "schedule_days")
    ddl = LEDGERS.ddl + DAYS.ddl
    handlers: dict[str, Handler[OccurrenceChanges]] = dict.fromkeys(OCCURRENCES, _occurred)

    def changes(self) -> OccurrenceChanges:
        return {}

    def write(self, connection: Connection[Any], changes: OccurrenceChanges) -> None:
        if changes:
            DAYS.write(connection, _days(connection, list(changes.values())))
            LEDGERS.write(connection, changes.values())


def _days(connection: Connection[Any], rows: list[OccurrenceRow]) -> Iterable[ScheduleDayRow]:
    """Return what the outcomes of `rows` add to the numbers of their days, before the rows are written."""
    days: dict[tuple[bytes, datetime], ScheduleDayRow] = {}

    def add(row: OccurrenceRow, outcome: str, number: int) -> None:
        day = row.scheduled_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        found = days.get((row.schedule_id, day))
        if found is None:
            found = days[row.schedule_id, day] = ScheduleDayRow(schedule_id=row.schedule_id, day=day)
        setattr(found, outcome, getattr(found, outcome) + number)

    for row in rows:
        add(row, row.outcome, 1)
    keys = arrays.uuid_bytes([row.schedule_id for row in rows]), arrays.timestamptzs([row.scheduled_at for row in rows])
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        for n, outcome in cursor.execute(BEFORE, keys, prepare=True):
            add(rows[n - 1], outcome, -1)
    return days.values()
