"""The steps of executions: a row a step, folded and written for execution_detail."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import EXACT, clean
from store import arrays


class StepRow(msgspec.Struct, gc=False):
    """What a page changes in a step: None leaves a column as it is, tokens are added.

    agent: given exactly when a new attempt was scheduled; all that belongs to the attempt before is then forgotten.
    """

    last_position: int
    first_position: int
    status: str | None = None
    attempt: int | None = None
    agent: str | None = None
    message: msgspec.Raw | None = None
    parameters: msgspec.Raw | None = None
    output: msgspec.Raw | None = None
    error: msgspec.Raw | None = None
    skip_reason: str | None = None
    cancel_reason: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class StepChanges:
    """Rows by execution and step, amounts by execution, step and currency."""

    __slots__ = ("costs", "rows")

    def __init__(self) -> None:
        self.rows: dict[tuple[bytes, str], StepRow] = {}
        self.costs: dict[tuple[bytes, str, str], Decimal] = {}

    def row(self, fact: Fact) -> StepRow:
        """The row of the fact's step."""
        key = fact.stream, fact.event.step
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = StepRow(fact.position, fact.position)
        else:
            row.last_position = fact.position
        return row


def scheduled(changes: StepChanges, fact: Fact) -> None:
    """A new attempt: the row begins anew but for where it stands and what was used before."""
    event, before = fact.event, changes.row(fact)
    changes.rows[fact.stream, event.step] = StepRow(
        fact.position,
        before.first_position,
        "scheduled",
        event.attempt,
        event.agent,
        event.message,
        event.parameters,
        scheduled_at=event.at,
        input_tokens=before.input_tokens,
        output_tokens=before.output_tokens,
    )


def started(changes: StepChanges, fact: Fact) -> None:
    """A worker has the attempt."""
    row = changes.row(fact)
    row.status, row.started_at = "started", fact.event.at


def reclaimed(changes: StepChanges, fact: Fact) -> None:
    """Another worker has the attempt, which goes on."""
    changes.row(fact)


def accepted(changes: StepChanges, fact: Fact) -> None:
    """The agent answers later."""
    changes.row(fact).status = "accepted"


def completed(changes: StepChanges, fact: Fact) -> None:
    """The answer."""
    event, row = fact.event, changes.row(fact)
    row.status, row.output = "completed", event.output
    row.started_at, row.ended_at = event.started_at, event.at


def failed(changes: StepChanges, fact: Fact) -> None:
    """The error; an attempt that could not be scheduled has only this."""
    event, row = fact.event, changes.row(fact)
    row.status, row.attempt, row.error, row.ended_at = "failed", event.attempt, event.error, event.at
    if event.started_at is not None:
        row.started_at = event.started_at


def skipped(changes: StepChanges, fact: Fact) -> None:
    """The step does not run."""
    row = changes.row(fact)
    row.status, row.attempt, row.ended_at = "skipped", 0, fact.event.at
    row.skip_reason = clean(fact.event.reason)


def cancelled(changes: StepChanges, fact: Fact) -> None:
    """The attempt was given up."""
    row = changes.row(fact)
    row.status, row.ended_at = "cancelled", fact.event.at
    row.cancel_reason = clean(fact.event.reason)


def cost_recorded(changes: StepChanges, fact: Fact) -> None:
    """What an attempt used; every attempt of the step counts."""
    event, row = fact.event, changes.row(fact)
    if event.usage is not None:
        row.input_tokens += event.usage.input_tokens
        row.output_tokens += event.usage.output_tokens
    if event.cost is not None:
        key = fact.stream, event.step, event.cost.currency
        changes.costs[key] = EXACT.add(changes.costs.get(key, Decimal(0)), event.cost.amount)


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
  input_tokens bigint not null,
  output_tokens bigint not null,
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

_OF_ATTEMPT = ("message", "parameters", "output", "error", "skip_reason", "cancel_reason", "started_at", "ended_at")
_REPLACED = ",\n  ".join(
    f"{column} = case when excluded.agent is not null then excluded.{column}"
    f" else coalesce(excluded.{column}, t.{column}) end"
    for column in _OF_ATTEMPT
)
UPSERT = f"""
insert into execution_steps as t (
  execution_id, step, first_position, last_position, status, attempt, agent, message, parameters, output, error,
  skip_reason, cancel_reason, scheduled_at, started_at, ended_at, input_tokens, output_tokens)
select * from unnest({", ".join(["%b"] * 18)})
on conflict (execution_id, step) do update set
  last_position = excluded.last_position,
  status = coalesce(excluded.status, t.status),
  attempt = coalesce(excluded.attempt, t.attempt),
  agent = coalesce(excluded.agent, t.agent),
  scheduled_at = coalesce(excluded.scheduled_at, t.scheduled_at),
  {_REPLACED},
  input_tokens = t.input_tokens + excluded.input_tokens,
  output_tokens = t.output_tokens + excluded.output_tokens"""

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
        arrays.bigints([row.input_tokens for row in rows]),
        arrays.bigints([row.output_tokens for row in rows]),
    )


def document(raw: msgspec.Raw | None) -> bytes | None:
    """The text of a document, for a json column."""
    return None if raw is None else bytes(raw)
