"""What happened in one execution: what it was given and gave, and its steps."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from projections import execution_steps, step_tables
from projections.execution_steps import StepChanges
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.step_tables import document
from store import arrays


class Row(msgspec.Struct, gc=False):
    """What a page changes in a row; None leaves a column as it is.

    retried_at: given exactly when the execution went on after a failure; ended_at and error are then meant even
    if None. parent_id, parent_step, parent_attempt: given only where an attempt of another execution started it.
    """

    last_position: int
    process_id: UUID | None = None
    process: str | None = None
    version: int | None = None
    status: str | None = None
    trigger: bytes | None = None
    actor: str | None = None
    input: msgspec.Raw | None = None
    outputs: msgspec.Raw | None = None
    error: msgspec.Raw | None = None
    cancel_reason: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    retried_at: datetime | None = None
    started_position: int | None = None
    parent_id: UUID | None = None
    parent_step: str | None = None
    parent_attempt: int | None = None


class Changes:
    """Rows by execution, and what changes in steps."""

    __slots__ = ("rows", "steps")

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}
        self.steps = StepChanges()

    def row(self, fact: Fact) -> Row:
        """The row of the fact's execution, which has moved to this fact."""
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = Row(fact.position)
        else:
            row.last_position = fact.position
        return row


def _step(handler: Callable[[StepChanges, Fact], None]) -> Handler[Changes]:
    """What happens to a step moves its execution's row too."""

    def handle(changes: Changes, fact: Fact) -> None:
        changes.row(fact)
        handler(changes.steps, fact)

    return handle


def _started(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.process_id, row.process, row.version = event.process_id, event.process, event.version
    row.status, row.trigger, row.actor = "running", msgspec.json.encode(event.trigger), clean(event.actor)
    row.input, row.started_at, row.started_position = event.input, event.at, fact.position
    parent = event.parent
    if parent is not None:
        row.parent_id, row.parent_step, row.parent_attempt = parent.execution_id, parent.step, parent.attempt


def _queued(changes: Changes, fact: Fact) -> None:
    changes.row(fact).status = "queued"


def _admitted(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.started_at = "running", fact.event.at


def _compensating(changes: Changes, fact: Fact) -> None:
    changes.row(fact).status = "compensating"


def _completed(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.outputs, row.ended_at = "completed", fact.event.outputs, fact.event.at


def _failed(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.error, row.ended_at = "failed", fact.event.error, fact.event.at


def _retried(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.retried_at, row.ended_at, row.error = "running", fact.event.at, None, None
    for step in fact.event.steps:
        execution_steps.reopened(changes.steps, fact, step)


def _cancelled(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.cancel_reason, row.ended_at = "cancelled", clean(fact.event.reason), fact.event.at


UPSERT = f"""
insert into execution_detail as t (
  execution_id, process_id, process, version, status, trigger, actor, input, outputs, error, cancel_reason,
  started_at, ended_at, retried_at, started_position, parent_id, parent_step, parent_attempt, last_position)
select * from unnest({", ".join(["%b"] * 19)})
on conflict (execution_id) do update set
  process_id = coalesce(t.process_id, excluded.process_id),
  process = coalesce(t.process, excluded.process),
  version = coalesce(t.version, excluded.version),
  status = coalesce(excluded.status, t.status),
  trigger = coalesce(t.trigger, excluded.trigger),
  actor = coalesce(t.actor, excluded.actor),
  input = coalesce(t.input, excluded.input),
  outputs = coalesce(excluded.outputs, t.outputs),
  error = case when excluded.retried_at is not null then excluded.error else coalesce(excluded.error, t.error) end,
  cancel_reason = coalesce(excluded.cancel_reason, t.cancel_reason),
  started_at = coalesce(excluded.started_at, t.started_at),
  ended_at = case when excluded.retried_at is not null then excluded.ended_at
    else coalesce(excluded.ended_at, t.ended_at) end,
  retried_at = coalesce(excluded.retried_at, t.retried_at),
  started_position = coalesce(t.started_position, excluded.started_position),
  parent_id = coalesce(t.parent_id, excluded.parent_id),
  parent_step = coalesce(t.parent_step, excluded.parent_step),
  parent_attempt = coalesce(t.parent_attempt, excluded.parent_attempt),
  last_position = excluded.last_position"""


class ExecutionDetail(Projection[Changes]):
    """execution_detail, execution_steps and execution_step_costs."""

    name = "execution_detail"
    tables = ("execution_detail", "execution_steps", "execution_step_costs")
    ddl = f"""
    create table execution_detail (
      execution_id uuid primary key,
      process_id uuid,
      process text,
      version int,
      status text,
      trigger json,
      actor text,
      input json,
      outputs json,
      error json,
      cancel_reason text,
      started_at timestamptz,
      ended_at timestamptz,
      retried_at timestamptz,
      started_position bigint,
      -- The attempt that started it, where one did.
      parent_id uuid,
      parent_step text,
      parent_attempt int,
      last_position bigint not null
    ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
    {step_tables.DDL}
    """
    indexes = ("create index execution_detail_parent_idx on execution_detail (parent_id) where parent_id is not null",)
    handlers: dict[str, Handler[Changes]] = {
        "ExecutionStarted": _started,
        "ExecutionQueued": _queued,
        "ExecutionAdmitted": _admitted,
        "StepScheduled": _step(execution_steps.scheduled),
        "StepStarted": _step(execution_steps.started),
        "StepReclaimed": _step(execution_steps.touched),
        "StepAccepted": _step(execution_steps.accepted),
        "StepCompleted": _step(execution_steps.completed),
        "StepSkipped": _step(execution_steps.skipped),
        "StepFailed": _step(execution_steps.failed),
        "StepTimedOut": _step(execution_steps.timed_out),
        "StepHeartbeatMissed": _step(execution_steps.touched),
        "StepRetryScheduled": _step(execution_steps.retry_scheduled),
        "StepDiverted": _step(execution_steps.diverted),
        "StepCancelled": _step(execution_steps.cancelled),
        "StepAnswerIgnored": _step(execution_steps.touched),
        "StepRetried": _step(execution_steps.retried),
        "StepReassigned": _step(execution_steps.reassigned),
        "TimerStarted": _step(execution_steps.timer_started),
        "TimerFired": _step(execution_steps.touched),
        "TimerCancelled": _step(execution_steps.touched),
        "TimerMoved": _step(execution_steps.timer_moved),
        "ApprovalRequested": _step(execution_steps.approval_requested),
        "ApprovalCancelled": _step(execution_steps.touched),
        "ApprovalChangesRequested": _step(execution_steps.touched),
        "ApprovalExpired": _step(execution_steps.touched),
        "ApprovalGranted": _step(execution_steps.touched),
        "ApprovalRefused": _step(execution_steps.touched),
        "GatewayEvaluated": _step(execution_steps.gateway_evaluated),
        "SubProcessStarted": _step(execution_steps.sub_process_started),
        "SubProcessClosed": _step(execution_steps.touched),
        "CompensationRequired": _compensating,
        "CompensationStarted": _step(execution_steps.undoing("started")),
        "CompensationCompleted": _step(execution_steps.undoing("completed")),
        "CompensationFailed": _step(execution_steps.undoing("failed")),
        "CostRecorded": _step(execution_steps.cost_recorded),
        "ExecutionCompleted": _completed,
        "ExecutionFailed": _failed,
        "ExecutionCancelled": _cancelled,
        "ExecutionRetried": _retried,
    }

    def changes(self) -> Changes:
        return Changes()

    def write(self, connection: Connection[Any], changes: Changes) -> None:
        if changes.rows:
            connection.execute(UPSERT, _columns(changes.rows), prepare=True)
        step_tables.write(connection, changes.steps)


def _columns(changed: dict[bytes, Row]) -> tuple[arrays.Array, ...]:
    rows = changed.values()
    return (
        arrays.uuid_bytes(list(changed)),
        arrays.uuids([row.process_id for row in rows]),
        arrays.texts([row.process for row in rows]),
        arrays.ints([row.version for row in rows]),
        arrays.texts([row.status for row in rows]),
        arrays.jsons([row.trigger for row in rows]),
        arrays.texts([row.actor for row in rows]),
        arrays.jsons([document(row.input) for row in rows]),
        arrays.jsons([document(row.outputs) for row in rows]),
        arrays.jsons([document(row.error) for row in rows]),
        arrays.texts([row.cancel_reason for row in rows]),
        arrays.timestamptzs([row.started_at for row in rows]),
        arrays.timestamptzs([row.ended_at for row in rows]),
        arrays.timestamptzs([row.retried_at for row in rows]),
        arrays.bigints([row.started_position for row in rows]),
        arrays.uuids([row.parent_id for row in rows]),
        arrays.texts([row.parent_step for row in rows]),
        arrays.ints([row.parent_attempt for row in rows]),
        arrays.bigints([row.last_position for row in rows]),
    )
