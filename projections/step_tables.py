"""The tables of steps: a row a step, what each cost, and how changes are written to them for execution_detail."""

from typing import Any

import msgspec
from psycopg import Connection

from projections.execution_steps import StepChanges, StepRow
from store import arrays

DDL = """
create table execution_steps (
  execution_id uuid not null,
  step text not null,
  first_position bigint not null,
  last_position bigint not null,
  status text,
  attempt int,
  agent text,
  message json,
  parameters json,
  output json,
  error json,
  skip_reason text,
  cancel_reason text,
  scheduled_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  reopened_at timestamptz,
  due_at timestamptz,
  chosen json,
  conditions json,
  compensation text,
  input_tokens bigint not null,
  output_tokens bigint not null,
  unpriced int not null,
  primary key (execution_id, step)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create table execution_step_costs (
  execution_id uuid not null,
  step text not null,
  currency text not null,
  amount numeric not null,
  primary key (execution_id, step, currency)
);
"""

_OF_ATTEMPT = ("message", "parameters", "output", "error", "skip_reason", "chosen", "conditions")
_OF_ITS_END = ("cancel_reason", "started_at", "ended_at", "due_at")


def _replaced(columns: tuple[str, ...], when: str) -> str:
    """Columns take what is given even if that is nothing, when `when` holds."""
    return ",\n  ".join(
        f"{column} = case when {when} then excluded.{column} else coalesce(excluded.{column}, t.{column}) end"
        for column in columns
    )


UPSERT = f"""
insert into execution_steps as t (
  execution_id, step, first_position, last_position, status, attempt, agent, message, parameters, output, error,
  skip_reason, cancel_reason, scheduled_at, started_at, ended_at, reopened_at, due_at, chosen, conditions,
  compensation, input_tokens, output_tokens, unpriced)
select * from unnest({", ".join(["%b"] * 24)})
on conflict (execution_id, step) do update set
  last_position = excluded.last_position,
  status = coalesce(excluded.status, t.status),
  attempt = coalesce(excluded.attempt, t.attempt),
  agent = coalesce(excluded.agent, t.agent),
  scheduled_at = coalesce(excluded.scheduled_at, t.scheduled_at),
  reopened_at = coalesce(excluded.reopened_at, t.reopened_at),
  compensation = coalesce(excluded.compensation, t.compensation),
  {_replaced(_OF_ATTEMPT, "excluded.scheduled_at is not null")},
  {_replaced(_OF_ITS_END, "coalesce(excluded.scheduled_at, excluded.reopened_at) is not null")},
  input_tokens = t.input_tokens + excluded.input_tokens,
  output_tokens = t.output_tokens + excluded.output_tokens,
  unpriced = t.unpriced + excluded.unpriced"""

UPSERT_COSTS = """
insert into execution_step_costs as t (execution_id, step, currency, amount)
select execution_id, step, currency, amount::numeric
from unnest(%b, %b, %b, %b) as x(execution_id, step, currency, amount)
on conflict (execution_id, step, currency) do update set amount = t.amount + excluded.amount"""


def write(connection: Connection[Any], changes: StepChanges) -> None:
    """Bring the changes into execution_steps and execution_step_costs."""
    if changes.rows:
        connection.execute(UPSERT, _columns(changes.rows), prepare=True)
    if changes.costs:
        columns = (
            arrays.uuid_bytes([execution for execution, _, _ in changes.costs]),
            arrays.texts([step for _, step, _ in changes.costs]),
            arrays.texts([currency for _, _, currency in changes.costs]),
            arrays.texts([str(amount) for amount in changes.costs.values()]),
        )
        connection.execute(UPSERT_COSTS, columns, prepare=True)


def _columns(changed: dict[tuple[bytes, str], StepRow]) -> tuple[arrays.Array, ...]:
    rows = changed.values()
    return (
        arrays.uuid_bytes([execution for execution, _ in changed]),
        arrays.texts([step for _, step in changed]),
        arrays.bigints([row.first_position for row in rows]),
        arrays.bigints([row.last_position for row in rows]),
        arrays.texts([row.status for row in rows]),
        arrays.ints([row.attempt for row in rows]),
        arrays.texts([row.agent for row in rows]),
        arrays.jsons([document(row.message) for row in rows]),
        arrays.jsons([document(row.parameters) for row in rows]),
        arrays.jsons([document(row.output) for row in rows]),
        arrays.jsons([document(row.error) for row in rows]),
        arrays.texts([row.skip_reason for row in rows]),
        arrays.texts([row.cancel_reason for row in rows]),
        arrays.timestamptzs([row.scheduled_at for row in rows]),
        arrays.timestamptzs([row.started_at for row in rows]),
        arrays.timestamptzs([row.ended_at for row in rows]),
        arrays.timestamptzs([row.reopened_at for row in rows]),
        arrays.timestamptzs([row.due_at for row in rows]),
        arrays.jsons([row.chosen for row in rows]),
        arrays.jsons([document(row.conditions) for row in rows]),
        arrays.texts([row.compensation for row in rows]),
        arrays.bigints([row.input_tokens for row in rows]),
        arrays.bigints([row.output_tokens for row in rows]),
        arrays.ints([row.unpriced for row in rows]),
    )


def document(raw: msgspec.Raw | None) -> bytes | None:
    """The text of a document, for a json column."""
    return None if raw is None else bytes(raw)
