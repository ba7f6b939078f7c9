"""One execution in detail, with its steps, its timers and its cost."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from domain.executions.events.outcomes import QUEUED
from queries.amounts import COSTS
from queries.attempts import AttemptView, read_attempts
from queries.definitions import DefinedStep, Definitions
from queries.estimates import estimates_of
from queries.families import Ancestor, ParentAttempt
from queries.leaving_out import SQL
from queries.reading import Freshness, Reading, fetch
from queries.slots import place_in_line
from queries.steps import (
    NULL,
    ChildExecution,
    ReachedStep,
    StepView,
    decode_children,
    decode_steps,
    seconds,
    step_views,
)
from queries.waits import Wait, limited_steps, waits_of, with_rates
from store.archive.executions import absent

DETAIL = "execution_detail"
MOST_CHILDREN = 2_000
"""Of an execution with more children, items aside, the newest are shown."""

_OF_STEPS = COSTS.format(table="execution_step_costs", on="c.execution_id = s.execution_id and c.step = s.step")
_SUMS = "(select currency, sum(amount) as amount from execution_step_costs x where x.execution_id {} group by currency)"
_WITH_CHILDREN = """(select currency, sum(amount) as amount from (
  select currency, amount from execution_step_costs x where x.execution_id = d.execution_id union all
  select currency, amount from execution_costs_below x where x.execution_id = d.execution_id and currency <> '') spent
  group by currency)"""
_FITTING = SQL.format(size="s.size", column="{column}")
_DETAIL = f"""
with recursive above(execution_id, step, distance) as (
  select parent_id, parent_step, 1 from execution_detail where execution_id = %(id)s and parent_id is not null
  union all
  select d.parent_id, d.parent_step, a.distance + 1
  from above a join execution_detail d on d.execution_id = a.execution_id where d.parent_id is not null)
select d.execution_id, d.process_id, d.process, d.version, d.status, d.trigger, d.actor, d.input, d.outputs, d.error,
  d.started_at, d.ended_at, d.last_position, d.cancel_reason, d.parent_id, d.parent_step, d.parent_attempt,
  d.body, d.item, d.item_key, d.round, d.slot_key, d.priority,
  coalesce((select json_agg(s order by s.first_position) from (
    select s.step, s.first_position, s.status, s.attempt, s.agent,
      {_FITTING.format(column="s.message")} as message, {_FITTING.format(column="s.parameters")} as parameters,
      {_FITTING.format(column="s.output")} as output, {_FITTING.format(column="s.error")} as error,
      s.skip_reason, s.cancel_reason, s.scheduled_at, s.started_at, s.ended_at, s.chosen, s.conditions,
      s.compensation, s.unpriced, s.due_at, s.input_tokens, s.output_tokens,
      s.items, s.items_completed, s.items_failed, s.round,
      {_OF_STEPS} as cost
    from (select t.*, sum(coalesce(octet_length(t.message::text), 0) + coalesce(octet_length(t.parameters::text), 0)
        + coalesce(octet_length(t.output::text), 0) + coalesce(octet_length(t.error::text), 0))
        over (order by t.first_position rows unbounded preceding) as size
      from execution_steps t where t.execution_id = d.execution_id) s) s), '[]'::json) as steps,
  coalesce((select json_agg(a order by a.distance desc) from (
    select a.execution_id, p.process, a.step, a.distance, p.body, p.item, p.item_key as key, p.round
    from above a join execution_detail p using (execution_id)) a),
    '[]'::json) as path,
  coalesce((select json_agg(c order by c.attempt, c.round) from (
    select c.execution_id, c.round, c.parent_step as step, c.parent_attempt as attempt, c.process, c.version, c.status,
      c.started_at, c.ended_at, extract(epoch from c.ended_at - c.started_at)::float8 as duration,
      {COSTS.format(table=_SUMS.format("= c.execution_id"), on="true")} as cost
    from execution_detail c where c.parent_id = d.execution_id and c.item is null
    order by c.parent_attempt desc, c.round desc limit {MOST_CHILDREN}) c), '[]'::json) as children,
  {COSTS.format(table=_SUMS.format("= d.execution_id"), on="true")} as own,
  case when (
    select true from execution_detail c where c.parent_id = d.execution_id order by c.item limit 1) then
    {COSTS.format(table=_WITH_CHILDREN, on="true")}
  end as with_children,
  coalesce((select sum(b.unpriced) from execution_costs_below b where b.execution_id = d.execution_id),
    0)::int as unpriced_below
from execution_detail d where d.execution_id = %(id)s"""
_TIMERS = "select step, kind, due_at from due_timers where execution_id = %s order by due_at, step, kind"


_decode_path = msgspec.json.Decoder(list[Ancestor]).decode


class ExecutionCost(msgspec.Struct, frozen=True):
    """The cost of an execution. own: of its steps and their compensations. with_children: of its descendants too.

    Each amount counts once. unpriced: the uses of all of these that have no price; no sum has them.
    """

    own: msgspec.Raw
    with_children: msgspec.Raw
    unpriced: int


class TimerOfExecution(msgspec.Struct, frozen=True):
    """A timer, which fires at due_at. kind: as in the list of timers."""

    step: str
    kind: str
    due_at: datetime


class ExecutionDetail(msgspec.Struct, frozen=True):
    """An execution with its steps in the order of its definition, and its timers, the next one first.

    waiting_for: everything that it waits for, people first.
    parent: the attempt that started it, None for a root. depth: the number of executions above it. path: these, from
    the root on. as_of: the position or the instant that the request names, None for now. body: the steps that run, by
    the ids of the steps that hold them, joined by ``/``; None for the process itself. slot_key, priority: of one that
    waited for its turn; an empty key is that of all without one. queue_position: its place in line, from 1; 10,001
    stands for any further one; None if it does not wait now. slot_limit: of executions of its key at once, while it
    waits.
    """

    execution_id: UUID
    process_id: UUID
    process: str
    version: int
    status: str
    trigger: msgspec.Raw
    actor: str | None
    parent: ParentAttempt | None
    root: UUID
    depth: int
    path: list[Ancestor]
    input: msgspec.Raw
    outputs: msgspec.Raw
    error: msgspec.Raw
    cancel_reason: str | None
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    steps: list[StepView]
    timers: list[TimerOfExecution]
    waiting_for: list[Wait]
    cost: ExecutionCost
    position: int
    as_of_position: int
    lag_seconds: float
    as_of: int | datetime | None = None
    body: str | None = None
    slot_key: str | None = None
    priority: int | None = None
    queue_position: int | None = None
    slot_limit: int | None = None


class ExecutionRow(msgspec.Struct, frozen=True):
    """An execution, as its row in the read table holds it."""

    execution_id: UUID
    process_id: UUID
    process: str
    version: int
    status: str
    trigger: msgspec.Raw | None
    actor: str | None
    input: msgspec.Raw | None
    outputs: msgspec.Raw | None
    error: msgspec.Raw | None
    cancel_reason: str | None
    started_at: datetime
    ended_at: datetime | None
    parent_id: UUID | None
    parent_step: str | None
    parent_attempt: int | None
    body: str | None
    item: int | None
    item_key: str | None
    round: int | None
    slot_key: str | None
    priority: int | None
    last_position: int


def get_execution(
    reading: Reading, definitions: Definitions, execution_id: UUID, *, min_position: int | None = None
) -> ExecutionDetail:
    """Return one execution. Raises NotFound or NotYet."""
    with reading.of(DETAIL, min_position) as (connection, freshness):
        rows = fetch(connection, _DETAIL, {"id": execution_id})
        if not rows:
            raise absent(connection, execution_id)
        row = rows[0]
        timers = [TimerOfExecution(**timer) for timer in fetch(connection, _TIMERS, (execution_id,))]
        planned = definitions.steps(connection, row["process_id"], row["version"], row["body"] or "")
        attempts = read_attempts(connection, execution_id, row["last_position"])
        place = place_in_line(connection, execution_id, row["process_id"]) if row["status"] == QUEUED else None
        limited = limited_steps(connection, execution_id) if row["ended_at"] is None else {}
    found = execution_view(
        ExecutionRow(**{name: row[name] for name in ExecutionRow.__struct_fields__}),
        decode_steps(row["steps"]),
        planned,
        decode_children(row["children"]),
        attempts,
        path=_decode_path(row["path"]),
        timers=timers,
        own=row["own"],
        with_children=row["with_children"],
        unpriced_below=row["unpriced_below"],
        freshness=freshness,
    )
    if place is not None:
        found = msgspec.structs.replace(found, queue_position=place.position, slot_limit=place.limit)
    if found.ended_at is not None:
        return found
    waits = with_rates(found.waiting_for, limited)
    return _with_estimates(reading, msgspec.structs.replace(found, waiting_for=waits))


def _with_estimates(reading: Reading, found: ExecutionDetail) -> ExecutionDetail:
    to_come = [step.id for step in found.steps if step.is_to_come]
    estimates = estimates_of(reading, found.process_id, found.version, to_come)
    known = {step: each for step, each in estimates.items() if each.n}
    if not known:
        return found
    steps = [msgspec.structs.replace(step, estimate=known.get(step.id)) for step in found.steps]
    return msgspec.structs.replace(found, steps=steps)


def execution_view(
    row: ExecutionRow,
    reached: list[ReachedStep],
    planned: list[DefinedStep],
    children: Mapping[str, list[ChildExecution]],
    attempts: Mapping[str, list[AttemptView]],
    *,
    path: list[Ancestor],
    timers: list[TimerOfExecution],
    own: msgspec.Raw,
    with_children: msgspec.Raw | None,
    unpriced_below: int,
    freshness: Freshness,
    as_of: int | datetime | None = None,
) -> ExecutionDetail:
    """Return the view of an execution, whether its rows are from the read tables or folded from the log.

    with_children: None without children. unpriced_below: the uses of its descendants that have no price.
    """
    parent = None
    if row.parent_id is not None and row.parent_step is not None and row.parent_attempt is not None:
        place = row.parent_id, row.parent_step, row.parent_attempt
        parent = ParentAttempt(*place, row.item, row.item_key, row.round)
    unpriced = sum(step.unpriced for step in reached) + unpriced_below
    steps = step_views(planned, {step.step: step for step in reached}, children, attempts)
    return ExecutionDetail(
        execution_id=row.execution_id,
        process_id=row.process_id,
        process=row.process,
        version=row.version,
        status=row.status,
        trigger=row.trigger or NULL,
        actor=row.actor,
        parent=parent,
        root=path[0].execution_id if path else row.execution_id,
        depth=len(path),
        path=path,
        input=row.input or NULL,
        outputs=row.outputs or NULL,
        error=row.error or NULL,
        cancel_reason=row.cancel_reason,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration=seconds(row.started_at, row.ended_at),
        steps=steps,
        timers=timers,
        waiting_for=waits_of(row.status, steps),
        cost=ExecutionCost(own, own if with_children is None else with_children, unpriced),
        position=row.last_position,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
        as_of=as_of,
        body=row.body,
        slot_key=row.slot_key,
        priority=row.priority,
    )
