"""The list of executions, their status and their use: a row an execution."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.executions.state.cost import differences
from domain.money import Money, add
from projections import execution_waits
from projections.facts import STATUS_OF_EXECUTION, Fact, Latest
from projections.projection import Handler, MovedProjection, clean
from projections.table import OFTEN_UPDATED, Table, always, first, key, latest, since, total


class ListedRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    parent_id, parent_step, root_id, depth: of an execution that another one started. started_at: of an execution that
    was queued, when it was admitted. body: the steps that run, by their path, where it is no process; item, item_key,
    round: of the step that started it. retried_at: stated exactly when the execution goes on after a failure.
    steps_done: completed, skipped, or diverted by on_error or on_timeout; steps_failed leaves these out. error_step:
    empty: no step failed. slot_key: of one that waited for its turn, empty for one without a key.
    """

    execution_id: Annotated[bytes, key("uuid")]
    position: Annotated[int | None, first("bigint")] = None
    process_id: Annotated[UUID | None, first("uuid")] = None
    process: Annotated[str | None, first("text")] = None
    version: Annotated[int | None, first("int")] = None
    status: Annotated[str | None, latest("text")] = None
    trigger: Annotated[str | None, first("text")] = None
    actor: Annotated[str | None, first("text")] = None
    parent_id: Annotated[UUID | None, first("uuid")] = None
    root_id: Annotated[UUID | None, first("uuid")] = None
    depth: Annotated[int | None, first("int")] = None
    parent_step: Annotated[str | None, first("text")] = None
    body: Annotated[str | None, first("text")] = None
    item: Annotated[int | None, first("int")] = None
    item_key: Annotated[str | None, first("text")] = None
    round: Annotated[int | None, first("int")] = None
    slot_key: Annotated[str | None, first("text")] = None
    started_at: Annotated[datetime | None, latest("timestamptz")] = None
    ended_at: Annotated[datetime | None, since("timestamptz", "retried_at")] = None
    retried_at: Annotated[datetime | None, latest("timestamptz")] = None
    steps: Annotated[int | None, first("int")] = None
    steps_done: Annotated[int, total("int")] = 0
    steps_failed: Annotated[int, total("int")] = 0
    input_tokens: Annotated[int, total("bigint")] = 0
    output_tokens: Annotated[int, total("bigint")] = 0
    error_code: Annotated[str | None, since("text", "retried_at")] = None
    error_message: Annotated[str | None, since("text", "retried_at")] = None
    error_step: Annotated[str | None, since("text", "retried_at")] = None
    last_position: Annotated[int, always("bigint")]
    last_at: Annotated[datetime, always("timestamptz")]


class CostRow(msgspec.Struct, gc=False):
    """The cost that a page adds to an execution."""

    execution_id: Annotated[bytes, key("uuid not null")]
    currency: Annotated[str, key("text not null")]
    amount: Annotated[Decimal, total("numeric")]


# Most columns change with every step and are in no index: free space on the page keeps such an update there.
LIST = Table("execution_list", ListedRow, f"fillfactor = 60, {OFTEN_UPDATED}")
COSTS = Table("execution_list_costs", CostRow, "fillfactor = 80")


class ListedChanges:
    """Rows by execution, amounts by execution and currency, and the facts that change waits."""

    __slots__ = ("costs", "rows", "waits")

    def __init__(self) -> None:
        self.rows: dict[bytes, ListedRow] = {}
        self.costs: dict[tuple[bytes, str], Decimal] = {}
        self.waits: list[Fact] = []

    def row(self, fact: Fact) -> ListedRow:
        """Return the row of the fact's execution."""
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = ListedRow(
                execution_id=fact.stream, last_position=fact.position, last_at=fact.event.at
            )
        return row

    def spend(self, fact: Fact, cost: Money) -> None:
        """Add an amount to the execution of the fact."""
        key = fact.stream, cost.currency
        self.costs[key] = add(self.costs.get(key, Decimal(0)), cost.amount)


class Error(msgspec.Struct, gc=False):
    """The part of an error that the list shows."""

    code: str
    message: str


# The reasons for which a step that failed, or took too long, is skipped after all.
INSTEAD_OF_FAILING = frozenset(("on_error", "on_timeout"))
decode_error = msgspec.json.Decoder(Error).decode


def _becomes(status: str) -> Handler[ListedChanges]:
    def handle(changes: ListedChanges, fact: Fact) -> None:
        changes.row(fact).status = status

    return handle


def _ended(changes: ListedChanges, fact: Fact) -> ListedRow:
    row = changes.row(fact)
    row.status, row.ended_at = STATUS_OF_EXECUTION[fact.topic], fact.event.at
    return row


def _started(changes: ListedChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.position = fact.position
    row.process_id, row.process, row.version = event.process_id, event.process, event.version
    row.status, row.trigger, row.actor = STATUS_OF_EXECUTION[fact.topic], event.trigger.type, clean(event.actor)
    row.started_at, row.steps = event.at, event.steps
    if (parent := event.parent) is not None:
        row.parent_id, row.root_id, row.depth = parent.execution_id, parent.root, parent.depth
        row.parent_step = parent.step
        row.item, row.item_key, row.round = parent.item, clean(parent.key) or None, parent.round
        row.body = event.body or None


def _queued(changes: ListedChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.slot_key = STATUS_OF_EXECUTION[fact.topic], clean(fact.event.slot_key)


def _admitted(changes: ListedChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.started_at = STATUS_OF_EXECUTION[fact.topic], fact.event.at


def _of_graph(handler: Callable[[ListedRow, Any], None]) -> Handler[ListedChanges]:
    """Handle a step of the definition. A step that undoes another, `<step>.compensation`, is not counted."""

    def handle(changes: ListedChanges, fact: Fact) -> None:
        if "." not in fact.event.step:
            handler(changes.row(fact), fact.event)

    return handle


def _step_failed(row: ListedRow, event: Any) -> None:
    row.steps_failed += 1


def _step_goes_on(row: ListedRow, event: Any) -> None:
    """Take back the failure of the attempt, which the same decision recorded before."""
    row.steps_failed -= 1


def _step_skipped(row: ListedRow, event: Any) -> None:
    row.steps_done += 1
    if event.reason in INSTEAD_OF_FAILING:
        row.steps_failed -= 1


def _step_diverted(row: ListedRow, event: Any) -> None:
    """Take back the failure that the same decision recorded before: the step is done and leads elsewhere."""
    row.steps_done += 1
    row.steps_failed -= 1


def _cost_recorded(changes: ListedChanges, fact: Fact) -> None:
    event = fact.event
    if event.usage is not None:
        row = changes.row(fact)
        row.input_tokens += event.usage.input_tokens
        row.output_tokens += event.usage.output_tokens
    if event.cost is not None:
        changes.spend(fact, event.cost)


def _cost_corrected(changes: ListedChanges, fact: Fact) -> None:
    for cost in differences(fact.event.before, fact.event.after):
        changes.spend(fact, cost)


def _failed(changes: ListedChanges, fact: Fact) -> None:
    row, error = _ended(changes, fact), decode_error(fact.event.error)
    row.error_code, row.error_message = clean(error.code), clean(error.message)
    row.error_step = clean(fact.event.step or "")


def _retried(changes: ListedChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.retried_at = STATUS_OF_EXECUTION[fact.topic], fact.event.at
    row.ended_at = row.error_code = row.error_message = row.error_step = None
    # An execution fails with one step; the others were cancelled for it, or were diverted and count as done.
    row.steps_failed -= 1


def _scheduled(changes: ListedChanges, fact: Fact) -> None:
    if fact.event.attempt > 1:
        changes.waits.append(fact)


def _step_completed(changes: ListedChanges, fact: Fact) -> None:
    if "." not in fact.event.step:
        changes.row(fact).steps_done += 1
    changes.waits.append(fact)


def _waits(changes: ListedChanges, fact: Fact) -> None:
    changes.waits.append(fact)


def _with_wait(handler: Handler[ListedChanges] | None) -> Handler[ListedChanges]:
    if handler is None:
        return _waits

    def handle(changes: ListedChanges, fact: Fact) -> None:
        handler(changes, fact)
        changes.waits.append(fact)

    return handle


# The events that change more than the position of the row.
HANDLERS: Mapping[str, Handler[ListedChanges]] = {
    **{topic: _becomes(status) for topic, status in STATUS_OF_EXECUTION.items()},
    "ExecutionStarted": _started,
    "ExecutionQueued": _queued,
    "ExecutionAdmitted": _admitted,
    "ExecutionCompleted": _ended,
    "ExecutionCancelled": _ended,
    "ExecutionFailed": _failed,
    "ExecutionRetried": _retried,
    "StepSkipped": _of_graph(_step_skipped),
    "StepFailed": _of_graph(_step_failed),
    "StepTimedOut": _of_graph(_step_failed),
    "StepRetryScheduled": _of_graph(_step_goes_on),
    "StepDiverted": _of_graph(_step_diverted),
    "CostRecorded": _cost_recorded,
    "CostCorrected": _cost_corrected,
}


class ExecutionList(MovedProjection[ListedChanges]):
    """execution_list, what each execution cost in execution_list_costs, and its waits in execution_list_waits."""

    name = "execution_list"
    tables = ("execution_list", "execution_list_costs", "execution_list_waits")
    ddl = LIST.ddl + COSTS.ddl + execution_waits.WAITS.ddl
    leaving = dict.fromkeys(tables, "execution_id")
    indexes = (
        "create unique index execution_list_position_idx on execution_list (position)",
        "create index execution_list_process_idx on execution_list (process_id, position)",
        "create index execution_list_status_idx on execution_list (status, position)",
        "create index execution_list_started_idx on execution_list (started_at)",
        "create index execution_list_ended_idx on execution_list (ended_at, position) where ended_at is not null",
        "create index execution_list_lasted_idx on execution_list ((ended_at - started_at), position)"
        " where ended_at is not null",
        "create index execution_list_roots_idx on execution_list (position) where parent_id is null",
        "create index execution_list_parent_idx on execution_list (parent_id, position) where parent_id is not null",
        "create index execution_list_root_idx on execution_list (root_id, position) where root_id is not null",
        "create index execution_list_slots_idx on execution_list (process_id, slot_key, position)"
        " where slot_key is not null",
        "create index execution_list_error_idx on execution_list (error_code, position) where error_code is not null",
        "create index execution_list_costs_dearest_idx on execution_list_costs (currency, amount)",
        "create index execution_list_end_of_id_idx on execution_list (reverse(execution_id::text) text_pattern_ops)",
        execution_waits.INDEX,
    )
    handlers: dict[str, Handler[ListedChanges]] = {
        **HANDLERS,
        **{topic: _with_wait(HANDLERS.get(topic)) for topic in execution_waits.HANDLERS},
        "StepScheduled": _scheduled,
        "StepCompleted": _step_completed,
    }

    def changes(self) -> ListedChanges:
        return ListedChanges()

    def move(self, changes: ListedChanges, last: Latest) -> None:
        row = changes.rows.get(last.stream)
        if row is None:
            row = changes.rows[last.stream] = ListedRow(execution_id=last.stream, last_position=0, last_at=last.at)
        row.last_position, row.last_at = last.position, last.at

    def write(self, connection: Connection[Any], changes: ListedChanges) -> None:
        LIST.write(connection, changes.rows.values())
        COSTS.write(connection, [CostRow(*key, amount) for key, amount in changes.costs.items()])
        execution_waits.write(connection, changes.waits)
