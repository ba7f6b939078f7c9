"""Which executions are there, in what state, and what did they use: a row an execution."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import EXACT, Handler, Projection, clean
from store import arrays


class Row(msgspec.Struct, gc=False):
    """What a page changes in a row: None leaves a column as it is; the numbers of steps and tokens are added.

    retried_at: given exactly when the execution went on after a failure; ended_at and the error are then meant even if
    None.
    """

    last_position: int
    last_at: datetime
    position: int | None = None
    process_id: UUID | None = None
    process: str | None = None
    version: int | None = None
    status: str | None = None
    trigger: str | None = None
    actor: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    retried_at: datetime | None = None
    steps: int | None = None
    steps_done: int = 0
    steps_failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    error_code: str | None = None
    error_message: str | None = None


class Changes:
    """Rows by execution, amounts by execution and currency."""

    __slots__ = ("costs", "rows")

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}
        self.costs: dict[tuple[bytes, str], Decimal] = {}

    def row(self, fact: Fact) -> Row:
        """The row of the fact's execution, which has moved to this fact."""
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = Row(fact.position, fact.event.at)
        else:
            row.last_position = fact.position
            row.last_at = fact.event.at
        return row


class Error(msgspec.Struct, gc=False):
    """What the list shows of an error."""

    code: str
    message: str


# Why a step that failed, or took too long, is skipped after all.
INSTEAD_OF_FAILING = frozenset(("on_error", "on_timeout"))

decode_error = msgspec.json.Decoder(Error).decode


def _touched(changes: Changes, fact: Fact) -> None:
    changes.row(fact)


def _started(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.position = fact.position
    row.process_id, row.process, row.version = event.process_id, event.process, event.version
    row.status, row.trigger, row.actor = "running", event.trigger.type, clean(event.actor)
    row.started_at, row.steps = event.at, event.steps


def _step_done(changes: Changes, fact: Fact) -> None:
    changes.row(fact).steps_done += 1


def _step_failed(changes: Changes, fact: Fact) -> None:
    changes.row(fact).steps_failed += 1


def _step_goes_on(changes: Changes, fact: Fact) -> None:
    """The failure before, in the same decision, was only that of an attempt."""
    changes.row(fact).steps_failed -= 1


def _step_skipped(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.steps_done += 1
    if fact.event.reason in INSTEAD_OF_FAILING:
        row.steps_failed -= 1


def _cost_recorded(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    if event.usage is not None:
        row.input_tokens += event.usage.input_tokens
        row.output_tokens += event.usage.output_tokens
    if event.cost is not None:
        key = fact.stream, event.cost.currency
        changes.costs[key] = EXACT.add(changes.costs.get(key, Decimal(0)), event.cost.amount)


def _completed(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.ended_at = "completed", fact.event.at


def _failed(changes: Changes, fact: Fact) -> None:
    row, error = changes.row(fact), decode_error(fact.event.error)
    row.status, row.ended_at = "failed", fact.event.at
    row.error_code, row.error_message = clean(error.code), clean(error.message)


def _retried(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.retried_at = "running", fact.event.at
    row.ended_at = row.error_code = row.error_message = None
    # An execution fails with one step; the others were cancelled for it, or had been diverted and stay as they are.
    row.steps_failed -= 1


def _cancelled(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.ended_at = "cancelled", fact.event.at


_ENDS = ",\n  ".join(
    f"{column} = case when excluded.retried_at is not null then excluded.{column}"
    f" else coalesce(excluded.{column}, t.{column}) end"
    for column in ("ended_at", "error_code", "error_message")
)
UPSERT = f"""
insert into execution_list as t (
  execution_id, position, process_id, process, version, status, trigger, actor, started_at, ended_at, retried_at,
  steps, steps_done, steps_failed, input_tokens, output_tokens, error_code, error_message, last_position, last_at)
select * from unnest({", ".join(["%b"] * 20)})
on conflict (execution_id) do update set
  position = coalesce(t.position, excluded.position),
  process_id = coalesce(t.process_id, excluded.process_id),
  process = coalesce(t.process, excluded.process),
  version = coalesce(t.version, excluded.version),
  status = coalesce(excluded.status, t.status),
  trigger = coalesce(t.trigger, excluded.trigger),
  actor = coalesce(t.actor, excluded.actor),
  started_at = coalesce(t.started_at, excluded.started_at),
  {_ENDS},
  retried_at = coalesce(excluded.retried_at, t.retried_at),
  steps = coalesce(t.steps, excluded.steps),
  steps_done = t.steps_done + excluded.steps_done,
  steps_failed = t.steps_failed + excluded.steps_failed,
  input_tokens = t.input_tokens + excluded.input_tokens,
  output_tokens = t.output_tokens + excluded.output_tokens,
  last_position = excluded.last_position,
  last_at = excluded.last_at"""

UPSERT_COSTS = """
insert into execution_list_costs as t (execution_id, currency, amount)
select execution_id, currency, amount::numeric from unnest(%b, %b, %b) as x(execution_id, currency, amount)
on conflict (execution_id, currency) do update set amount = t.amount + excluded.amount"""


class ExecutionList(Projection[Changes]):
    """execution_list, and what each execution cost in execution_list_costs."""

    name = "execution_list"
    tables = ("execution_list", "execution_list_costs")
    # Most columns change with every step and are in no index: room on the page lets such an update stay there.
    ddl = """
    create table execution_list (
      execution_id uuid primary key,
      position bigint,
      process_id uuid,
      process text,
      version int,
      status text,
      trigger text,
      actor text,
      started_at timestamptz,
      ended_at timestamptz,
      retried_at timestamptz,
      steps int,
      steps_done int not null,
      steps_failed int not null,
      input_tokens bigint not null,
      output_tokens bigint not null,
      error_code text,
      error_message text,
      last_position bigint not null,
      last_at timestamptz not null
    ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
    create table execution_list_costs (
      execution_id uuid not null,
      currency text not null,
      amount numeric not null,
      primary key (execution_id, currency)
    ) with (fillfactor = 80);
    """
    indexes = (
        "create unique index execution_list_position_idx on execution_list (position)",
        "create index execution_list_process_idx on execution_list (process_id, position)",
        "create index execution_list_status_idx on execution_list (status, position)",
        "create index execution_list_started_idx on execution_list (started_at)",
    )
    handlers: dict[str, Handler[Changes]] = {
        "ExecutionStarted": _started,
        "StepScheduled": _touched,
        "StepStarted": _touched,
        "StepReclaimed": _touched,
        "StepAccepted": _touched,
        "StepCompleted": _step_done,
        "StepSkipped": _step_skipped,
        "StepFailed": _step_failed,
        "StepTimedOut": _step_failed,
        "StepHeartbeatMissed": _touched,
        "StepRetryScheduled": _step_goes_on,
        "StepDiverted": _touched,
        "StepCancelled": _touched,
        "StepAnswerIgnored": _touched,
        "StepRetried": _touched,
        "StepReassigned": _touched,
        "TimerStarted": _touched,
        "TimerFired": _touched,
        "TimerCancelled": _touched,
        "TimerMoved": _touched,
        "ApprovalRequested": _touched,
        "ApprovalRefused": _touched,
        "ApprovalGranted": _touched,
        "ApprovalExpired": _touched,
        "ApprovalChangesRequested": _touched,
        "ApprovalCancelled": _touched,
        "GatewayEvaluated": _touched,
        "CostRecorded": _cost_recorded,
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
        if changes.costs:
            columns = (
                arrays.uuid_bytes([execution for execution, _ in changes.costs]),
                arrays.texts([currency for _, currency in changes.costs]),
                arrays.texts([str(amount) for amount in changes.costs.values()]),
            )
            connection.execute(UPSERT_COSTS, columns, prepare=True)


def _columns(changed: dict[bytes, Row]) -> tuple[arrays.Array, ...]:
    rows = changed.values()
    return (
        arrays.uuid_bytes(list(changed)),
        arrays.bigints([row.position for row in rows]),
        arrays.uuids([row.process_id for row in rows]),
        arrays.texts([row.process for row in rows]),
        arrays.ints([row.version for row in rows]),
        arrays.texts([row.status for row in rows]),
        arrays.texts([row.trigger for row in rows]),
        arrays.texts([row.actor for row in rows]),
        arrays.timestamptzs([row.started_at for row in rows]),
        arrays.timestamptzs([row.ended_at for row in rows]),
        arrays.timestamptzs([row.retried_at for row in rows]),
        arrays.ints([row.steps for row in rows]),
        arrays.ints([row.steps_done for row in rows]),
        arrays.ints([row.steps_failed for row in rows]),
        arrays.bigints([row.input_tokens for row in rows]),
        arrays.bigints([row.output_tokens for row in rows]),
        arrays.texts([row.error_code for row in rows]),
        arrays.texts([row.error_message for row in rows]),
        arrays.bigints([row.last_position for row in rows]),
        arrays.timestamptzs([row.last_at for row in rows]),
    )
