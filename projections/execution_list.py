"""Which executions are there, in what state, and what did they use: a row an execution."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection

from domain.money import add
from projections import list_tables
from projections.facts import Fact
from projections.list_tables import Changes, Row
from projections.projection import Handler, Projection, clean


class Error(msgspec.Struct, gc=False):
    """What the list shows of an error."""

    code: str
    message: str


# Why a step that failed, or took too long, is skipped after all.
INSTEAD_OF_FAILING = frozenset(("on_error", "on_timeout"))

decode_error = msgspec.json.Decoder(Error).decode


def _touched(changes: Changes, fact: Fact) -> None:
    changes.row(fact)


def _started(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    row.position = fact.position
    row.process_id, row.process, row.version = event.process_id, event.process, event.version
    row.status, row.trigger, row.actor = "running", event.trigger.type, clean(event.actor)
    row.started_at, row.steps = event.at, event.steps
    if event.parent is not None:
        row.parent_id, row.root_id, row.depth = event.parent.execution_id, event.parent.root, event.parent.depth


def _queued(changes: Changes, fact: Fact) -> None:
    changes.row(fact).status = "queued"


def _admitted(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.started_at = "running", fact.event.at


def _compensating(changes: Changes, fact: Fact) -> None:
    changes.row(fact).status = "compensating"


def _of_graph(handler: Callable[[Row, Any], None]) -> Handler[Changes]:
    """What becomes of a step of the definition; one that undoes another, `<step>.compensation`, is not counted."""

    def handle(changes: Changes, fact: Fact) -> None:
        row = changes.row(fact)
        if "." not in fact.event.step:
            handler(row, fact.event)

    return handle


def _step_done(row: Row, event: Any) -> None:
    row.steps_done += 1


def _step_failed(row: Row, event: Any) -> None:
    row.steps_failed += 1


def _step_goes_on(row: Row, event: Any) -> None:
    """The failure before, in the same decision, was only that of an attempt."""
    row.steps_failed -= 1


def _step_skipped(row: Row, event: Any) -> None:
    row.steps_done += 1
    if event.reason in INSTEAD_OF_FAILING:
        row.steps_failed -= 1


def _step_diverted(row: Row, event: Any) -> None:
    """The failure before, in the same decision, was provided for: the step is done and leads elsewhere."""
    row.steps_done += 1
    row.steps_failed -= 1


def _cost_recorded(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.row(fact)
    if event.usage is not None:
        row.input_tokens += event.usage.input_tokens
        row.output_tokens += event.usage.output_tokens
    if event.cost is not None:
        key = fact.stream, event.cost.currency
        changes.costs[key] = add(changes.costs.get(key, Decimal(0)), event.cost.amount)


def _completed(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.ended_at = "completed", fact.event.at


def _failed(changes: Changes, fact: Fact) -> None:
    row, error = changes.row(fact), decode_error(fact.event.error)
    row.status, row.ended_at = "failed", fact.event.at
    row.error_code, row.error_message = clean(error.code), clean(error.message)


def _retried(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.retried_at = "running", fact.event.at
    row.ended_at = row.error_code = row.error_message = None
    # An execution fails with one step; the others were cancelled for it, or had been diverted and count as done.
    row.steps_failed -= 1


def _cancelled(changes: Changes, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.ended_at = "cancelled", fact.event.at


class ExecutionList(Projection[Changes]):
    """execution_list, and what each execution cost in execution_list_costs."""

    name = "execution_list"
    tables = ("execution_list", "execution_list_costs")
    ddl = list_tables.DDL
    indexes = (
        "create unique index execution_list_position_idx on execution_list (position)",
        "create index execution_list_process_idx on execution_list (process_id, position)",
        "create index execution_list_status_idx on execution_list (status, position)",
        "create index execution_list_started_idx on execution_list (started_at)",
        "create index execution_list_roots_idx on execution_list (position) where parent_id is null",
        "create index execution_list_parent_idx on execution_list (parent_id, position) where parent_id is not null",
        "create index execution_list_root_idx on execution_list (root_id, position) where root_id is not null",
    )
    handlers: dict[str, Handler[Changes]] = {
        "ExecutionStarted": _started,
        "ExecutionQueued": _queued,
        "ExecutionAdmitted": _admitted,
        "StepScheduled": _touched,
        "StepStarted": _touched,
        "StepReclaimed": _touched,
        "StepAccepted": _touched,
        "StepCompleted": _of_graph(_step_done),
        "StepSkipped": _of_graph(_step_skipped),
        "StepFailed": _of_graph(_step_failed),
        "StepTimedOut": _of_graph(_step_failed),
        "StepHeartbeatMissed": _touched,
        "StepRetryScheduled": _of_graph(_step_goes_on),
        "StepDiverted": _of_graph(_step_diverted),
        "StepCancelled": _touched,
        "StepAnswerIgnored": _touched,
        "StepRetried": _touched,
        "StepReassigned": _touched,
        "TimerStarted": _touched,
        "TimerFired": _touched,
        "TimerCancelled": _touched,
        "TimerMoved": _touched,
        "ApprovalRequested": _touched,
        "ApprovalRefused": _touched,
        "ApprovalGranted": _touched,
        "ApprovalExpired": _touched,
        "ApprovalChangesRequested": _touched,
        "ApprovalCancelled": _touched,
        "GatewayEvaluated": _touched,
        "SubProcessStarted": _touched,
        "SubProcessClosed": _touched,
        "CompensationRequired": _compensating,
        "CompensationStarted": _touched,
        "CompensationCompleted": _touched,
        "CompensationFailed": _touched,
        "CostRecorded": _cost_recorded,
        "ExecutionCompleted": _completed,
        "ExecutionFailed": _failed,
        "ExecutionCancelled": _cancelled,
        "ExecutionRetried": _retried,
    }

    def changes(self) -> Changes:
        return Changes()

    def write(self, connection: Connection[Any], changes: Changes) -> None:
        list_tables.write(connection, changes)
