"""Executions: the list, and one in detail."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.reading import Reading, fetch
from queries.steps import COSTS, NULL, Amount, Definitions, StepView, decode_steps, step_views

__all__ = [
    "Amount",
    "Definitions",
    "ExecutionDetail",
    "ExecutionFilter",
    "ExecutionSummary",
    "StepView",
    "TimerOfExecution",
    "get_execution",
    "list_executions",
]

LIST = "execution_list"
DETAIL = "execution_detail"

_LIST = f"""
select l.position, l.execution_id, l.process_id, l.process, l.version, l.status, l.trigger, l.actor, l.started_at,
  l.ended_at, extract(epoch from l.ended_at - l.started_at)::float8 as duration, l.steps, l.steps_done, l.steps_failed,
  l.error_code, l.error_message, coalesce(l.input_tokens, 0) as input_tokens,
  coalesce(l.output_tokens, 0) as output_tokens,
  {COSTS.format(table="execution_list_costs", on="c.execution_id = l.execution_id")} as cost
from execution_list l where {{where}} order by l.position desc limit %(rows)s"""
_DETAIL = f"""
select d.execution_id, d.process_id, d.process, d.version, d.status, d.trigger, d.actor, d.input, d.outputs, d.error,
  d.started_at, d.ended_at, extract(epoch from d.ended_at - d.started_at)::float8 as duration,
  d.last_position as position, d.cancel_reason,
  coalesce((select json_agg(s order by s.first_position) from (
    select s.step, s.first_position, s.status, s.attempt, s.agent, s.message, s.parameters, s.output, s.error,
      s.skip_reason, s.cancel_reason, s.scheduled_at, s.started_at, s.ended_at, s.chosen, s.conditions, s.unpriced,
      case when s.status in ('waiting', 'retrying') then s.due_at end as due_at,
      extract(epoch from s.ended_at - s.started_at)::float8 as duration, s.input_tokens, s.output_tokens,
      {COSTS.format(table="execution_step_costs", on="c.execution_id = s.execution_id and c.step = s.step")} as cost
    from execution_steps s where s.execution_id = d.execution_id) s), '[]'::json) as steps,
  {
    COSTS.format(
        table="(select currency, sum(amount) as amount from execution_step_costs x "
        "where x.execution_id = d.execution_id group by currency)",
        on="true",
    )
} as own
from execution_detail d where d.execution_id = %s"""
_TIMERS = "select step, kind, due_at from due_timers where execution_id = %s order by due_at, step, kind"


class ErrorSummary(msgspec.Struct, frozen=True):
    """Why an execution failed, in short."""

    code: str
    message: str


class ExecutionSummary(msgspec.Struct, frozen=True):
    """An execution in the list. duration in seconds, None while it runs; cost: one amount a currency."""

    execution_id: UUID
    process_id: UUID
    process: str
    version: int
    status: str
    trigger: str
    actor: str | None
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    steps: int
    steps_done: int
    steps_failed: int
    input_tokens: int
    output_tokens: int
    cost: msgspec.Raw
    error: ErrorSummary | None
    position: int


class ExecutionCost(msgspec.Struct, frozen=True):
    """own: of its own steps, with_children: of its sub-processes too; unpriced: attempts with usage but no cost."""

    own: msgspec.Raw
    with_children: msgspec.Raw
    unpriced: int


class TimerOfExecution(msgspec.Struct, frozen=True):
    """What happens by itself at due_at. kind: as the list of timers says."""

    step: str
    kind: str
    due_at: datetime


class ExecutionDetail(msgspec.Struct, frozen=True):
    """An execution with its steps in the order of its definition, and its timers, the next one first.

    as_of: the position or the instant it was asked for, None for now.
    """

    execution_id: UUID
    process_id: UUID
    process: str
    version: int
    status: str
    trigger: msgspec.Raw
    actor: str | None
    input: msgspec.Raw
    outputs: msgspec.Raw
    error: msgspec.Raw
    cancel_reason: str | None
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    steps: list[StepView]
    timers: list[TimerOfExecution]
    cost: ExecutionCost
    position: int
    as_of_position: int
    lag_seconds: float
    as_of: int | datetime | None = None


class ExecutionFilter(msgspec.Struct, frozen=True):
    """Which executions: OR within a field, AND between fields; started_from ≤ started < started_to."""

    process_ids: list[UUID] = []
    versions: list[int] = []
    statuses: list[str] = []
    triggers: list[str] = []
    started_from: datetime | None = None
    started_to: datetime | None = None


def list_executions(
    reading: Reading,
    asked: ExecutionFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ExecutionSummary]:
    """Executions, the newest first. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    where.add("l.position < {}", read_position("x", cursor, LARGEST))
    where.any_of("l.process_id", asked.process_ids, "uuid")
    where.any_of("l.version", asked.versions, "bigint")
    where.any_of("l.status", asked.statuses, "text")
    where.any_of("l.trigger", asked.triggers, "text")
    where.add("l.started_at >= {}", asked.started_from)
    where.add("l.started_at < {}", asked.started_to)
    with reading.of(LIST, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    return page_of([_summary(row) for row in rows], limit, freshness, lambda row: write_cursor("x", row.position))


def get_execution(
    reading: Reading, definitions: Definitions, execution_id: UUID, *, min_position: int | None = None
) -> ExecutionDetail:
    """One execution. Raises NotFound or NotYet."""
    with reading.of(DETAIL, min_position) as (connection, freshness):
        rows = fetch(connection, _DETAIL, (execution_id,))
        if not rows:
            raise NotFound(f"there is no execution {execution_id}")
        row = rows[0]
        timers = [TimerOfExecution(**timer) for timer in fetch(connection, _TIMERS, (execution_id,))]
        planned = definitions.steps(connection, row["process_id"], row["version"])
    found = {step.step: step for step in decode_steps(row.pop("steps"))}
    own = row.pop("own")
    unpriced = sum(step.unpriced for step in found.values())
    documents: dict[str, Any] = {name: row.pop(name) or NULL for name in ("trigger", "input", "outputs", "error")}
    return ExecutionDetail(
        **row,
        **documents,
        steps=step_views(planned, found),
        timers=timers,
        cost=ExecutionCost(own, own, unpriced),
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _summary(row: DictRow) -> ExecutionSummary:
    code, message = row.pop("error_code"), row.pop("error_message")
    return ExecutionSummary(**row, error=None if code is None else ErrorSummary(code, message or ""))
