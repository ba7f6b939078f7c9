"""Execution trees: where an execution comes from, the executions that its steps started, and their cost together."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

import msgspec

from domain.money import add
from projections.execution_detail import DetailChanges, DetailRow
from queries.amounts import Amount
from queries.steps import ChildExecution, seconds


class ParentAttempt(msgspec.Struct, frozen=True):
    """The attempt of a step that started the execution.

    item: the position in the list that the step goes through, from 0, and its key; round: from 1; each if it repeats.
    """

    execution_id: UUID
    step: str
    attempt: int
    item: int | None = None
    key: str | None = None
    round: int | None = None


class Ancestor(msgspec.Struct, frozen=True):
    """An execution on the way from the root, and which of its steps leads on to the next.

    body, item, key, round: of the execution itself, as in ExecutionDetail.
    """

    execution_id: UUID
    process: str
    step: str
    body: str | None = None
    item: int | None = None
    key: str | None = None
    round: int | None = None


def path_to(rows: Mapping[bytes, DetailRow], row: DetailRow) -> list[Ancestor]:
    """Return the way from the root to `row`; `rows` has all above it."""
    path: list[Ancestor] = []
    while row.parent_id is not None:
        above = rows[row.parent_id.bytes]
        step, own = row.parent_step or "", (above.body, above.item, above.item_key, above.round)
        path.append(Ancestor(row.parent_id, above.process or "", step, *own))
        row = above
    return path[::-1]


def children_of(changes: DetailChanges, id: UUID) -> dict[str, list[ChildExecution]]:
    """Return the executions that an execution started, by step and in the order of their attempts; items aside."""
    children: dict[str, list[ChildExecution]] = {}
    found = [row for row in changes.rows.values() if row.parent_id == id and row.item is None]
    spent: dict[bytes, list[tuple[str, Decimal]]] = {}
    for (of, _, currency), amount in changes.steps.costs.items():
        spent.setdefault(of, []).append((currency, amount))
    for row in sorted(found, key=lambda row: (row.parent_attempt or 0, row.round or 0)):
        child = ChildExecution(
            UUID(bytes=row.execution_id),
            row.parent_attempt or 0,
            row.process or "",
            row.version or 0,
            row.status or "",
            row.started_at,
            row.ended_at,
            seconds(row.started_at, row.ended_at),
            sums(spent.get(row.execution_id, ())),
            row.round,
        )
        children.setdefault(row.parent_step or "", []).append(child)
    return children


def costs_below(changes: DetailChanges, id: UUID) -> tuple[list[tuple[str, Decimal]], int] | None:
    """Return the amounts, by currency, of all descendants of an execution, and their number of uses without a price.

    Without descendants it returns None.
    """
    below: set[bytes] = set()
    started: dict[bytes, list[bytes]] = {}
    for row in changes.rows.values():
        if row.parent_id is not None:
            started.setdefault(row.parent_id.bytes, []).append(row.execution_id)
    generation = started.get(id.bytes, [])
    while generation:
        below.update(generation)
        generation = [child for parent in generation for child in started.get(parent, ())]
    if not below:
        return None
    amounts = [(currency, amount) for (one, _, currency), amount in changes.steps.costs.items() if one in below]
    return amounts, sum(step.unpriced for step in changes.steps.rows.values() if step.execution_id in below)


def sums(costs: Iterable[tuple[str, Decimal]]) -> list[Amount]:
    """Return one amount a currency."""
    found: dict[str, Decimal] = {}
    for currency, amount in costs:
        found[currency] = add(found.get(currency, Decimal(0)), amount)
    return [Amount(f"{amount:f}", currency) for currency, amount in sorted(found.items())]
