"""The row of a step of an execution, and the changes of a page to such rows."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from domain.money import Money, add
from projections.facts import Fact
from projections.step_costs import COSTS
from projections.table import OFTEN_UPDATED, Table, always, fixed, key, latest, since, total


class StepRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a step; None leaves a column as it is.

    scheduled_at: stated exactly when a new attempt begins, which forgets the one before. reopened_at: stated exactly
    when the step goes on after an attempt; that forgets how the attempt ended, but not its error. due_at: the end
    of the current or the last wait. output: also of an approval that was not granted. compensation: how far it is
    undone. unpriced: uses without a cost. items: of the list that it goes through; items_completed: in all attempts;
    items_failed: in the latest. round: the latest one.
    """

    execution_id: Annotated[bytes, key("uuid not null")]
    step: Annotated[str, key("text not null")]
    first_position: Annotated[int, fixed("bigint not null")]
    last_position: Annotated[int, always("bigint")]
    status: Annotated[str | None, latest("text")] = None
    attempt: Annotated[int | None, latest("int")] = None
    agent: Annotated[str | None, latest("text")] = None
    message: Annotated[msgspec.Raw | None, since("json", "scheduled_at")] = None
    parameters: Annotated[msgspec.Raw | None, since("json", "scheduled_at")] = None
    output: Annotated[msgspec.Raw | None, since("json", "scheduled_at")] = None
    error: Annotated[msgspec.Raw | None, since("json", "scheduled_at")] = None
    skip_reason: Annotated[str | None, since("text", "scheduled_at")] = None
    cancel_reason: Annotated[str | None, since("text", "scheduled_at", "reopened_at")] = None
    scheduled_at: Annotated[datetime | None, latest("timestamptz")] = None
    started_at: Annotated[datetime | None, since("timestamptz", "scheduled_at", "reopened_at")] = None
    ended_at: Annotated[datetime | None, since("timestamptz", "scheduled_at", "reopened_at")] = None
    reopened_at: Annotated[datetime | None, latest("timestamptz")] = None
    due_at: Annotated[datetime | None, since("timestamptz", "scheduled_at", "reopened_at")] = None
    chosen: Annotated[list[str] | None, since("json", "scheduled_at")] = None
    conditions: Annotated[msgspec.Raw | None, since("json", "scheduled_at")] = None
    compensation: Annotated[str | None, latest("text")] = None
    input_tokens: Annotated[int, total("bigint")] = 0
    output_tokens: Annotated[int, total("bigint")] = 0
    unpriced: Annotated[int, total("int")] = 0
    items: Annotated[int | None, latest("int")] = None
    items_completed: Annotated[int, total("int")] = 0
    items_failed: Annotated[int | None, latest("int")] = None
    round: Annotated[int | None, latest("int")] = None


STEPS = Table("execution_steps", StepRow, f"fillfactor = 80, {OFTEN_UPDATED}")
# The line of comment changes the shape: rows of the release before lack the output of approvals that were not granted.
DDL = STEPS.ddl + COSTS.ddl + "-- output: also of approvals that were not granted\n"


class StepChanges:
    """Rows by execution and step, amounts by execution, step and currency."""

    __slots__ = ("costs", "rows")

    def __init__(self) -> None:
        self.rows: dict[tuple[bytes, str], StepRow] = {}
        self.costs: dict[tuple[bytes, str, str], Decimal] = {}

    def row(self, fact: Fact) -> StepRow:
        """Return the row of the fact's step, moved to this fact."""
        row = self.rows.get((fact.stream, fact.event.step))
        if row is None:
            return self.row_of(fact, fact.event.step)
        row.last_position = fact.position
        return row

    def row_of(self, fact: Fact, step: str) -> StepRow:
        """Return the row of `step`, moved to this fact."""
        key = fact.stream, step
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = StepRow(
                execution_id=fact.stream, step=step, first_position=fact.position, last_position=fact.position
            )
        else:
            row.last_position = fact.position
        return row

    def spend(self, fact: Fact, cost: Money) -> None:
        """Add an amount to the step of the fact."""
        key = fact.stream, fact.event.step, cost.currency
        self.costs[key] = add(self.costs.get(key, Decimal(0)), cost.amount)

    def attempt(self, fact: Fact, status: str) -> StepRow:
        """Return the row of the fact's step with a new attempt; it keeps its first position, its agent and its use."""
        event = fact.event
        key = fact.stream, event.step
        before = self.rows.get(key)
        row = self.rows[key] = StepRow(
            execution_id=fact.stream,
            step=event.step,
            first_position=fact.position if before is None else before.first_position,
            last_position=fact.position,
            status=status,
            attempt=event.attempt,
            scheduled_at=event.at,
        )
        if before is not None:
            row.agent, row.reopened_at, row.compensation = before.agent, before.reopened_at, before.compensation
            row.input_tokens, row.output_tokens = before.input_tokens, before.output_tokens
            row.unpriced, row.items, row.items_completed = before.unpriced, before.items, before.items_completed
        return row
