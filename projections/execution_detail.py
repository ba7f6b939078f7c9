"""The detail of an execution: its input and outcome, and its steps."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection

from projections import costs_below, execution_repetitions, execution_steps
from projections.execution_repetitions import ADDERS, REPETITIONS, RepetitionChanges
from projections.execution_steps import StepChanges
from projections.facts import OF_STEPS, STATUS_OF_EXECUTION, Fact, Latest
from projections.projection import Handler, MovedProjection, clean
from projections.table import OFTEN_UPDATED, Table, always, first, key, latest, since


class DetailRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    retried_at: stated exactly when the execution goes on after a failure. parent_id, parent_step, parent_attempt: the
    attempt of another execution that started it. body: the steps that run, by their path, where it is no process; item,
    item_key, round: of that step. slot_key, priority: of an execution that waited in a line.
    """

    execution_id: Annotated[bytes, key("uuid")]
    process_id: Annotated[UUID | None, first("uuid")] = None
    process: Annotated[str | None, first("text")] = None
    version: Annotated[int | None, first("int")] = None
    status: Annotated[str | None, latest("text")] = None
    trigger: Annotated[bytes | None, first("json")] = None
    actor: Annotated[str | None, first("text")] = None
    input: Annotated[msgspec.Raw | None, first("json")] = None
    outputs: Annotated[msgspec.Raw | None, latest("json")] = None
    error: Annotated[msgspec.Raw | None, since("json", "retried_at")] = None
    cancel_reason: Annotated[str | None, latest("text")] = None
    started_at: Annotated[datetime | None, latest("timestamptz")] = None
    ended_at: Annotated[datetime | None, since("timestamptz", "retried_at")] = None
    retried_at: Annotated[datetime | None, latest("timestamptz")] = None
    started_position: Annotated[int | None, first("bigint")] = None
    parent_id: Annotated[UUID | None, first("uuid")] = None
    parent_step: Annotated[str | None, first("text")] = None
    parent_attempt: Annotated[int | None, first("int")] = None
    body: Annotated[str | None, first("text")] = None
    item: Annotated[int | None, first("int")] = None
    item_key: Annotated[str | None, first("text")] = None
    round: Annotated[int | None, first("int")] = None
    slot_key: Annotated[str | None, first("text")] = None
    priority: Annotated[int | None, first("int")] = None
    last_position: Annotated[int, always("bigint")]


DETAIL = Table("execution_detail", DetailRow, f"fillfactor = 60, {OFTEN_UPDATED}")


class DetailChanges:
    """Rows by execution, the changes to steps, the events of repetitions, and the facts that change costs."""

    __slots__ = ("repetitions", "rows", "spent", "steps")

    def __init__(self) -> None:
        self.rows: dict[bytes, DetailRow] = {}
        self.steps = StepChanges()
        self.repetitions = RepetitionChanges()
        self.spent: list[Fact] = []

    def row(self, fact: Fact) -> DetailRow:
        """Return the row of the fact's execution."""
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = DetailRow(execution_id=fact.stream, last_position=fact.position)
        return row


def _step(handler: Handler[StepChanges]) -> Handler[DetailChanges]:
    def handle(changes: DetailChanges, fact: Fact) -> None:
        handler(changes.steps, fact)

    return handle


def _spends(handler: Handler[StepChanges]) -> Handler[DetailChanges]:
    """Count the cost below the executions above, too."""

    def handle(changes: DetailChanges, fact: Fact) -> None:
        handler(changes.steps, fact)
        changes.spent.append(fact)

    return handle


def _repeats(topic: str, add: Callable[[RepetitionChanges, Fact], None]) -> Handler[DetailChanges]:
    """Note the number of the event, too."""
    handler = execution_steps.HANDLERS.get(topic, StepChanges.row)

    def handle(changes: DetailChanges, fact: Fact) -> None:
        handler(changes.steps, fact)
        add(changes.repetitions, fact)

    return handle


def _becomes(status: str) -> Handler[DetailChanges]:
    def handle(changes: DetailChanges, fact: Fact) -> None:
        changes.row(fact).status = status

    return handle


def _ended(changes: DetailChanges, fact: Fact) -> DetailRow:
    row = changes.row(fact)
    row.status, row.ended_at = STATUS_OF_EXECUTION[fact.topic], fact.event.at
    return row


def _trigger(trigger: Any) -> bytes:
    """Return the trigger as a document; only that of a schedule has an instant."""
    shown = {"type": trigger.type, "id": trigger.id, "payload": trigger.payload}
    if trigger.type == "schedule":
        shown["scheduled_at"] = trigger.scheduled_at
    return msgspec.json.encode(shown)


def _started(changes: DetailChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.process_id, row.process, row.version = event.process_id, event.process, event.version
    row.status, row.trigger, row.actor = (
        STATUS_OF_EXECUTION[fact.topic],
        _trigger(event.trigger),
        clean(event.actor),
    )
    row.input, row.started_at, row.started_position = event.input, event.at, fact.position
    parent = event.parent
    if parent is not None:
        row.parent_id, row.parent_step, row.parent_attempt = parent.execution_id, parent.step, parent.attempt
        row.item, row.item_key, row.round = parent.item, clean(parent.key) or None, parent.round
        row.body = event.body or None


def _queued(changes: DetailChanges, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.status, row.slot_key, row.priority = STATUS_OF_EXECUTION[fact.topic], clean(event.slot_key), event.priority


def _admitted(changes: DetailChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.started_at = STATUS_OF_EXECUTION[fact.topic], fact.event.at


def _completed(changes: DetailChanges, fact: Fact) -> None:
    _ended(changes, fact).outputs = fact.event.outputs


def _failed(changes: DetailChanges, fact: Fact) -> None:
    _ended(changes, fact).error = fact.event.error


def _retried(changes: DetailChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.retried_at, row.ended_at, row.error = STATUS_OF_EXECUTION[fact.topic], fact.event.at, None, None
    for step in fact.event.steps:
        execution_steps.reopened(changes.steps, fact, step)


def _cancelled(changes: DetailChanges, fact: Fact) -> None:
    _ended(changes, fact).cancel_reason = clean(fact.event.reason)


class ExecutionDetailProjection(MovedProjection[DetailChanges]):
    """execution_detail, execution_steps, execution_step_costs, execution_costs_below and execution_repetitions."""

    name = "execution_detail"
    tables = (
        "execution_detail",
        "execution_steps",
        "execution_step_costs",
        "execution_costs_below",
        "execution_repetitions",
    )
    ddl = DETAIL.ddl + execution_steps.DDL + costs_below.BELOW.ddl + REPETITIONS.ddl
    leaving = dict.fromkeys(tables, "execution_id")
    indexes = (
        "create index execution_detail_parent_idx on execution_detail (parent_id, item) where parent_id is not null",
    )
    handlers: dict[str, Handler[DetailChanges]] = {
        # Every event of a step moves its row; those below change more.
        **{topic: _step(execution_steps.HANDLERS.get(topic, StepChanges.row)) for topic in OF_STEPS},
        **{topic: _becomes(status) for topic, status in STATUS_OF_EXECUTION.items()},
        **{topic: _spends(execution_steps.HANDLERS[topic]) for topic in ("CostRecorded", "CostCorrected")},
        **{topic: _repeats(topic, add) for topic, add in ADDERS.items()},
        "ExecutionStarted": _started,
        "ExecutionQueued": _queued,
        "ExecutionAdmitted": _admitted,
        "ExecutionCompleted": _completed,
        "ExecutionFailed": _failed,
        "ExecutionCancelled": _cancelled,
        "ExecutionRetried": _retried,
    }

    def changes(self) -> DetailChanges:
        return DetailChanges()

    def move(self, changes: DetailChanges, last: Latest) -> None:
        row = changes.rows.get(last.stream)
        if row is None:
            changes.rows[last.stream] = DetailRow(execution_id=last.stream, last_position=last.position)
        else:
            row.last_position = last.position

    def write(self, connection: Connection[Any], changes: DetailChanges) -> None:
        DETAIL.write(connection, changes.rows.values())
        execution_steps.write(connection, changes.steps)
        execution_repetitions.write(connection, changes.repetitions.rows.values())
        if changes.spent:
            costs_below.write(connection, changes.spent)
