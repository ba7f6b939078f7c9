"""Batches: a row a batch, the executions on which it could not act, and how many these are by reason."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.batches.batch import ENDED, FROZEN, RUNNING, STOPPED
from domain.batches.events import RefusedExecution
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, always, first, fixed, key, latest, total

SHOWN_FIRST = 20


class BatchRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    position: of the event that froze the list. first_executions: the first ones of the list. ended_at: when the list
    was gone through, or the batch stopped.
    """

    batch_id: Annotated[bytes, key("uuid")]
    position: Annotated[int | None, first("bigint")] = None
    act: Annotated[str | None, first("text")] = None
    step: Annotated[str | None, first("text")] = None
    agent: Annotated[str | None, first("text")] = None
    filter: Annotated[msgspec.Raw | None, first("json")] = None
    count: Annotated[int | None, first("int")] = None
    processes: Annotated[list[str] | None, first("json")] = None
    first_executions: Annotated[list[str] | None, first("json")] = None
    status: Annotated[str | None, latest("text")] = None
    frozen_by: Annotated[str | None, first("text")] = None
    frozen_at: Annotated[datetime | None, first("timestamptz")] = None
    as_of_position: Annotated[int | None, first("bigint")] = None
    expires_at: Annotated[datetime | None, first("timestamptz")] = None
    run_by: Annotated[str | None, latest("text")] = None
    reason: Annotated[str | None, latest("text")] = None
    started_at: Annotated[datetime | None, latest("timestamptz")] = None
    stopped_by: Annotated[str | None, latest("text")] = None
    stop_reason: Annotated[str | None, latest("text")] = None
    ended_at: Annotated[datetime | None, latest("timestamptz")] = None
    done: Annotated[int, total("int")] = 0
    unchanged: Annotated[int, total("int")] = 0
    last_position: Annotated[int, always("bigint")]


class RefusedRow(msgspec.Struct, gc=False):
    """An execution on which a batch could not act. position: of the event that states it."""

    batch_id: Annotated[bytes, key("uuid not null")]
    execution_id: Annotated[bytes, key("uuid not null")]
    code: Annotated[str, fixed("text not null")]
    message: Annotated[str, fixed("text not null")]
    position: Annotated[int, fixed("bigint not null")]


class RefusalsRow(msgspec.Struct, gc=False):
    """How many executions a page adds to those refused for one reason."""

    batch_id: Annotated[bytes, key("uuid not null")]
    code: Annotated[str, key("text not null")]
    count: Annotated[int, total("int")]


BATCHES = Table("batches", BatchRow, "fillfactor = 70")
REFUSED = Table("batch_refused", RefusedRow)
REFUSALS = Table("batch_refusals", RefusalsRow, "fillfactor = 70")

_refused = msgspec.json.Decoder(list[RefusedExecution]).decode


class BatchChanges:
    """Rows by batch, refused executions by batch and execution, and numbers of these by batch and code."""

    __slots__ = ("refusals", "refused", "rows")

    def __init__(self) -> None:
        self.rows: dict[bytes, BatchRow] = {}
        self.refused: dict[tuple[bytes, bytes], RefusedRow] = {}
        self.refusals: dict[tuple[bytes, str], RefusalsRow] = {}

    def row(self, fact: Fact) -> BatchRow:
        """Return the row of the fact's batch, moved to this fact."""
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = BatchRow(batch_id=fact.stream, last_position=fact.position)
        row.last_position = fact.position
        return row


def _frozen(changes: BatchChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.position, row.status = fact.position, FROZEN
    row.act, row.step, row.agent = event.act, event.step, event.agent
    row.filter, row.count, row.processes = event.filter, event.count, event.processes
    row.frozen_by, row.frozen_at = clean(event.actor), event.at
    row.as_of_position, row.expires_at = event.as_of_position, event.expires_at


def _listed(changes: BatchChanges, fact: Fact) -> None:
    row = changes.row(fact)
    if fact.version == 2:  # the later parts of the list follow this one
        row.first_executions = [str(id) for id in fact.event.executions[:SHOWN_FIRST]]


def _started(changes: BatchChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.status, row.started_at, row.run_by, row.reason = RUNNING, event.at, clean(event.actor), clean(event.reason)


def _advanced(changes: BatchChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.done += event.done
    row.unchanged += event.unchanged
    for each in _refused(event.refused):
        execution, code = each.execution_id.bytes, clean(each.code, 100)
        refused = RefusedRow(fact.stream, execution, code, clean(each.message), fact.position)
        changes.refused[fact.stream, execution] = refused
        count = changes.refusals.setdefault((fact.stream, code), RefusalsRow(fact.stream, code, 0))
        count.count += 1


def _over(status: str) -> Callable[[BatchChanges, Fact], BatchRow]:
    def handle(changes: BatchChanges, fact: Fact) -> BatchRow:
        row = changes.row(fact)
        row.status, row.ended_at = status, fact.event.at
        return row

    return handle


def _stopped(changes: BatchChanges, fact: Fact) -> None:
    row = _over(STOPPED)(changes, fact)
    row.stopped_by, row.stop_reason = clean(fact.event.actor), clean(fact.event.reason)


class BatchesProjection(Projection[BatchChanges]):
    """batches; batch_refused and batch_refusals. The whole list of a batch stays in the log."""

    name = "batches"
    tables = ("batches", "batch_refused", "batch_refusals")
    ddl = BATCHES.ddl + REFUSED.ddl + REFUSALS.ddl
    indexes = (
        "create index batches_position_idx on batches (position)",
        "create index batch_refused_position_idx on batch_refused (batch_id, position, execution_id)",
    )
    handlers: dict[str, Handler[BatchChanges]] = {
        "BatchFrozen": _frozen,
        "BatchExecutionsListed": _listed,
        "BatchStarted": _started,
        "BatchAdvanced": _advanced,
        "BatchEnded": _over(ENDED),
        "BatchStopped": _stopped,
    }

    def changes(self) -> BatchChanges:
        return BatchChanges()

    def write(self, connection: Connection[Any], changes: BatchChanges) -> None:
        BATCHES.write(connection, changes.rows.values())
        REFUSED.write(connection, changes.refused.values())
        REFUSALS.write(connection, changes.refusals.values())
