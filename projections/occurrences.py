"""The ledgers of schedules: a row an expected instant, with its last outcome."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.schedules import OCCURRENCES
from projections.table import Table, always, key, replaced


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
    """schedule_occurrences. An instant that is backfilled keeps its row and has another outcome."""

    name = "occurrences"
    tables = ("schedule_occurrences",)
    ddl = LEDGERS.ddl
    handlers: dict[str, Handler[OccurrenceChanges]] = dict.fromkeys(OCCURRENCES, _occurred)

    def changes(self) -> OccurrenceChanges:
        return {}

    def write(self, connection: Connection[Any], changes: OccurrenceChanges) -> None:
        LEDGERS.write(connection, changes.values())
