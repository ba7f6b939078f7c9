"""The ends of executions by process and day: a row a process and day in UTC on which one ended."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.kept_tables import KeptTable
from projections.projection import Handler, Projection
from projections.table import OFTEN_UPDATED, Table, key, total


class ProcessDayRow(msgspec.Struct, gc=False, kw_only=True):
    """The ends that a page adds to a day. day: its first instant; it lasts until the next day begins.

    retried: failed executions that continue; each takes back one failure, which may stand on an earlier day.
    """

    process_id: Annotated[bytes, key("uuid not null")]
    day: Annotated[datetime, key("timestamptz not null")]
    completed: Annotated[int, total("bigint")] = 0
    failed: Annotated[int, total("bigint")] = 0
    cancelled: Annotated[int, total("bigint")] = 0
    retried: Annotated[int, total("bigint")] = 0


DAYS = Table("process_days", ProcessDayRow, f"fillfactor = 50, {OFTEN_UPDATED}")
DayChanges = dict[tuple[bytes, date], ProcessDayRow]


def _completed(changes: DayChanges, fact: Fact) -> None:
    if not fact.event.body:
        _row(changes, fact.event.process_id.bytes, fact).completed += 1


def _failed(changes: DayChanges, fact: Fact) -> None:
    if not fact.event.body:
        _row(changes, fact.event.process_id.bytes, fact).failed += 1


def _cancelled(changes: DayChanges, fact: Fact) -> None:
    if not fact.event.body:
        _row(changes, fact.event.process_id.bytes, fact).cancelled += 1


def _retried(changes: DayChanges, fact: Fact) -> None:
    if not fact.origin.body:
        _row(changes, fact.origin.process_id, fact).retried += 1


def _row(changes: DayChanges, process: bytes, fact: Fact) -> ProcessDayRow:
    key = process, fact.event.at.date()
    row = changes.get(key)
    if row is None:
        day = fact.event.at.replace(hour=0, minute=0, second=0, microsecond=0)
        row = changes[key] = ProcessDayRow(process_id=process, day=day)
    return row


class ProcessDaysProjection(Projection[DayChanges]):
    """process_days: the numbers of executions that ended, by process, day and outcome; bodies aside."""

    name = "process_days"
    tables = ("process_days",)
    ddl = DAYS.ddl
    kept = (KeptTable(DAYS, ProcessDayRow),)
    handlers: dict[str, Handler[DayChanges]] = {
        "ExecutionCompleted": _completed,
        "ExecutionFailed": _failed,
        "ExecutionCancelled": _cancelled,
        "ExecutionRetried": _retried,
    }

    def changes(self) -> DayChanges:
        return {}

    def write(self, connection: Connection[Any], changes: DayChanges) -> None:
        DAYS.write(connection, changes.values())
