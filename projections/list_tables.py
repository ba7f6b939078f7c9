"""The tables of the list of executions, and how changes are written to them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from projections.facts import Fact
from store import arrays


class Row(msgspec.Struct, gc=False):
    """What a page changes in a row: None leaves a column as it is; the numbers of steps and tokens are added.

    retried_at: given exactly when the execution went on after a failure; ended_at and the error are then meant even if
    None. parent_id, root_id, depth: given only where another execution started it.
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
    parent_id: UUID | None = None
    root_id: UUID | None = None
    depth: int | None = None
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


# Most columns change with every step and are in no index: room on the page lets such an update stay there.
DDL = """
create table execution_list (
  execution_id uuid primary key,
  position bigint,
  process_id uuid,
  process text,
  version int,
  status text,
  trigger text,
  actor text,
  -- Of those that another execution started.
  parent_id uuid,
  root_id uuid,
  depth int,
  -- When it was admitted, if it had to wait for that.
  started_at timestamptz,
  ended_at timestamptz,
  retried_at timestamptz,
  steps int,
  -- Completed, skipped, or diverted by on_error or on_timeout; those are not among the failed ones.
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

_ENDS = ",\n  ".join(
    f"{column} = case when excluded.retried_at is not null then excluded.{column}"
    f" else coalesce(excluded.{column}, t.{column}) end"
    for column in ("ended_at", "error_code", "error_message")
)
UPSERT = f"""
insert into execution_list as t (
  execution_id, position, process_id, process, version, status, trigger, actor, parent_id, root_id, depth, started_at,
  ended_at, retried_at, steps, steps_done, steps_failed, input_tokens, output_tokens, error_code, error_message,
  last_position, last_at)
select * from unnest({", ".join(["%b"] * 23)})
on conflict (execution_id) do update set
  position = coalesce(t.position, excluded.position),
  process_id = coalesce(t.process_id, excluded.process_id),
  process = coalesce(t.process, excluded.process),
  version = coalesce(t.version, excluded.version),
  status = coalesce(excluded.status, t.status),
  trigger = coalesce(t.trigger, excluded.trigger),
  actor = coalesce(t.actor, excluded.actor),
  parent_id = coalesce(t.parent_id, excluded.parent_id),
  root_id = coalesce(t.root_id, excluded.root_id),
  depth = coalesce(t.depth, excluded.depth),
  started_at = coalesce(excluded.started_at, t.started_at),
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


def write(connection: Connection[Any], changes: Changes) -> None:
    """Bring the changes into execution_list and execution_list_costs."""
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
        arrays.uuids([row.parent_id for row in rows]),
        arrays.uuids([row.root_id for row in rows]),
        arrays.ints([row.depth for row in rows]),
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
