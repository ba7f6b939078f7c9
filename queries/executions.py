"""Executions: the list, and one in detail."""

import threading
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.reading import Reading, fetch

LIST = "execution_list"
DETAIL = "execution_detail"

_COSTS = """coalesce((select json_agg(json_build_object('amount', c.amount::text, 'currency', c.currency) order by c.currency)
  from {table} c where {on}), '[]'::json)"""
_LIST = f"""
select l.position, l.execution_id, l.process_id, l.process, l.version, l.status, l.trigger, l.actor, l.started_at,
  l.ended_at, extract(epoch from l.ended_at - l.started_at)::float8 as duration, l.steps, l.steps_done, l.steps_failed,
  l.error_code, l.error_message, coalesce(l.input_tokens, 0) as input_tokens,
  coalesce(l.output_tokens, 0) as output_tokens,
  {_COSTS.format(table="execution_list_costs", on="c.execution_id = l.execution_id")} as cost
from execution_list l where {{where}} order by l.position desc limit %(rows)s"""
_DETAIL = f"""
select d.execution_id, d.process_id, d.process, d.version, d.status, d.trigger, d.actor, d.input, d.outputs, d.error,
  d.started_at, d.ended_at, extract(epoch from d.ended_at - d.started_at)::float8 as duration, d.last_position,
  coalesce((select json_agg(s order by s.first_position) from (
    select s.step, s.first_position, s.status, s.attempt, s.agent, s.message, s.parameters, s.output, s.error,
      s.skip_reason, s.scheduled_at, s.started_at, s.ended_at,
      extract(epoch from s.ended_at - s.started_at)::float8 as duration, s.input_tokens, s.output_tokens,
      {_COSTS.format(table="execution_step_costs", on="c.execution_id = s.execution_id and c.step = s.step")} as cost
    from execution_steps s where s.execution_id = d.execution_id) s), '[]'::json) as steps,
  {_COSTS.format(
    table="(select currency, sum(amount) as amount from execution_step_costs x "
    "where x.execution_id = d.execution_id group by currency)", on="true")} as own
from execution_detail d where d.execution_id = %s"""
_STEPS = "select definition from process_versions where process_id = %s and version = %s"


class Amount(msgspec.Struct, frozen=True):
    """Money; amount is an exact decimal."""

    amount: str
    currency: str


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


class StepInput(msgspec.Struct, frozen=True):
    """What the agent is given."""

    message: msgspec.Raw
    parameters: msgspec.Raw


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens used by all attempts together."""

    input_tokens: int
    output_tokens: int


class StepView(msgspec.Struct, frozen=True):
    """One step. status ``pending``: not reached. attempts: how many began. duration: of the last attempt, in seconds."""

    id: str
    name: str | None
    type: str
    depends_on: list[str]
    status: str = "pending"
    attempts: int = 0
    agent: str | None = None
    input: StepInput | None = None
    output: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")
    skip_reason: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration: float | None = None
    cost: list[Amount] = []
    usage: TokenUsage | None = None


class ExecutionCost(msgspec.Struct, frozen=True):
    """own: of its own steps, with_children: those of its sub-processes too; unpriced: steps with usage but no cost."""

    own: msgspec.Raw
    with_children: msgspec.Raw
    unpriced: int


class ExecutionDetail(msgspec.Struct, frozen=True):
    """An execution with its steps in the order of its definition."""

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
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    steps: list[StepView]
    cost: ExecutionCost
    position: int
    as_of_position: int
    lag_seconds: float


class ExecutionFilter(msgspec.Struct, frozen=True):
    """Which executions: OR within a field, AND between fields; started_from ≤ started < started_to."""

    process_ids: list[UUID] = []
    versions: list[int] = []
    statuses: list[str] = []
    triggers: list[str] = []
    started_from: datetime | None = None
    started_to: datetime | None = None


class _PlannedStep(msgspec.Struct, frozen=True):
    id: str
    name: str | None = None
    type: str = "agent_task"
    agent: str | None = None
    depends_on: list[str] = []


class _Definition(msgspec.Struct, frozen=True):
    steps: list[_PlannedStep]


class _StepRow(msgspec.Struct, frozen=True):
    step: str
    status: str
    attempt: int | None
    agent: str | None
    message: msgspec.Raw
    parameters: msgspec.Raw
    output: msgspec.Raw
    error: msgspec.Raw
    skip_reason: str | None
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost: list[Amount]


_NULL = msgspec.Raw(b"null")
_decode_steps = msgspec.json.Decoder(list[_StepRow]).decode
_decode_definition = msgspec.json.Decoder(_Definition).decode


class Definitions:
    """The steps of published versions, read once: a version never changes."""

    def __init__(self, size: int = 1_000) -> None:
        self._size = size
        self._kept: dict[tuple[UUID, int], list[_PlannedStep]] = {}
        self._keeping = threading.Lock()

    def steps(self, connection: Connection[DictRow], process_id: UUID, version: int) -> list[_PlannedStep]:
        """The steps of a version in order; none while its read model has not seen it."""
        kept = self._kept.get((process_id, version))
        if kept is not None:
            return kept
        rows = fetch(connection, _STEPS, (process_id, version))
        if not rows:
            return []
        steps = _decode_definition(rows[0]["definition"]).steps
        with self._keeping:
            if len(self._kept) >= self._size:
                self._kept.clear()
            self._kept[process_id, version] = steps
        return steps


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
        planned = definitions.steps(connection, row["process_id"], row["version"])
    found = {step.step: step for step in _decode_steps(row.pop("steps"))}
    own = row.pop("own")
    unpriced = sum(_usage(step) is not None and not step.cost for step in found.values())
    documents = {name: row.pop(name) or _NULL for name in ("trigger", "input", "outputs", "error")}
    return ExecutionDetail(
        **row,
        **documents,
        position=row_position(row),
        steps=[*_steps(planned, found)],
        cost=ExecutionCost(own, own, unpriced),
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def row_position(row: dict[str, Any]) -> int:
    """The position of the last event of an execution, taken out of its row."""
    return int(row.pop("last_position"))


def _summary(row: DictRow) -> ExecutionSummary:
    code, message = row.pop("error_code"), row.pop("error_message")
    return ExecutionSummary(**row, error=None if code is None else ErrorSummary(code, message or ""))


def _steps(planned: list[_PlannedStep], found: dict[str, _StepRow]) -> list[StepView]:
    known = {step.id for step in planned}
    order = [*planned, *(_PlannedStep(step.step) for step in found.values() if step.step not in known)]
    return [_step(step, found.get(step.id)) for step in order]


def _step(planned: _PlannedStep, row: _StepRow | None) -> StepView:
    if row is None:
        return StepView(planned.id, planned.name, planned.type, planned.depends_on, agent=planned.agent)
    given = row.scheduled_at is not None
    return StepView(
        planned.id,
        planned.name,
        planned.type,
        planned.depends_on,
        status=row.status,
        attempts=row.attempt or 0,
        agent=row.agent or planned.agent,
        input=StepInput(row.message, row.parameters) if given else None,
        output=row.output,
        error=row.error,
        skip_reason=row.skip_reason,
        scheduled_at=row.scheduled_at,
        started_at=row.started_at,
        completed_at=row.ended_at,
        duration=row.duration,
        cost=row.cost,
        usage=_usage(row),
    )


def _usage(step: _StepRow) -> TokenUsage | None:
    if not step.input_tokens and not step.output_tokens:
        return None
    return TokenUsage(step.input_tokens or 0, step.output_tokens or 0)
