"""The steps of executions, and their costs: the part of execution_detail that has a row a step."""

from collections.abc import Mapping
from typing import Any

import msgspec
from psycopg import Connection

from domain.executions.events.outcomes import ACCEPTED, RETRYING, SCHEDULED, SKIPPED, STARTED, WAITING
from domain.executions.state.cost import differences
from domain.executions.state.step import time_out
from domain.executions.timers import DEADLINE, RETRY, ROUND, TIMER
from domain.executions.verdicts import decided_output
from projections.facts import STATUS_OF_STEP, Fact
from projections.projection import Handler, clean
from projections.shapes import EMPTY
from projections.step_costs import COSTS, StepCostRow, is_unpriced
from projections.step_rows import DDL, STEPS, StepChanges, StepRow

__all__ = ["DDL", "HANDLERS", "STEPS", "StepChanges", "StepRow", "reopened", "write"]

# The error that a step that took too long shows: its event states the scope only.
TIMED_OUT = {scope: msgspec.Raw(msgspec.json.encode(time_out(scope))) for scope in ("attempt", "total")}


def _scheduled(changes: StepChanges, fact: Fact) -> None:
    event, row = fact.event, changes.attempt(fact, SCHEDULED)
    row.message, row.parameters = event.message, event.parameters
    # A notification has no agent.
    if event.agent:
        row.agent = event.agent


def _timer_started(changes: StepChanges, fact: Fact) -> None:
    event, row = fact.event, changes.attempt(fact, WAITING)
    row.started_at, row.due_at = event.at, event.due_at


def _approval_requested(changes: StepChanges, fact: Fact) -> None:
    event, row = fact.event, changes.attempt(fact, WAITING)
    row.started_at, row.due_at = event.at, event.deadline


def _decided(status: str) -> Handler[StepChanges]:
    """Show the decision of an approval that was not granted, as expressions do; StepCompleted has that of a grant."""

    def handle(changes: StepChanges, fact: Fact) -> None:
        event, row = fact.event, changes.row(fact)
        output = decided_output(status, getattr(event, "by", None), getattr(event, "comment", None))
        row.output = msgspec.Raw(msgspec.json.encode(output))

    return handle


def _sub_process_started(changes: StepChanges, fact: Fact) -> None:
    """Begin to wait for another execution; a step that does not wait is completed by the next event."""
    if fact.event.goes_on:
        row = changes.row(fact)
        row.status, row.message, row.round = WAITING, fact.event.input, fact.event.round
        return
    event, row = fact.event, changes.attempt(fact, WAITING if fact.event.wait else STARTED)
    row.started_at, row.message, row.parameters = event.at, event.input, EMPTY
    row.round = event.round


def _items_listed(changes: StepChanges, fact: Fact) -> None:
    """Begin to wait for the children of the items."""
    event, row = fact.event, changes.attempt(fact, WAITING)
    row.started_at, row.items_failed = event.at, 0
    if fact.topic == "ItemsListed":
        row.items = len(msgspec.json.decode(event.items))


def _item_completed(changes: StepChanges, fact: Fact) -> None:
    changes.row(fact).items_completed += 1


def _item_failed(changes: StepChanges, fact: Fact) -> None:
    changes.row(fact).items_failed = fact.event.failed


def _round_completed(changes: StepChanges, fact: Fact) -> None:
    """Wait for the next round, where it does not begin at once."""
    row = changes.row(fact)
    if fact.event.next_at is not None:
        row.due_at = fact.event.next_at


def _gateway_evaluated(changes: StepChanges, fact: Fact) -> None:
    event, row = fact.event, changes.attempt(fact, STARTED)
    row.started_at, row.chosen, row.conditions = event.at, event.chosen, event.conditions


def _undoing(status: str) -> Handler[StepChanges]:
    def handle(changes: StepChanges, fact: Fact) -> None:
        changes.row(fact).compensation = status

    return handle


def _timer_moved(changes: StepChanges, fact: Fact) -> None:
    """Take the new time; a step does not wait for a timeout or a heartbeat."""
    row = changes.row(fact)
    if fact.event.kind in (TIMER, RETRY, DEADLINE, ROUND):
        row.due_at = fact.event.due_at


def _started(changes: StepChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.started_at = STARTED, fact.event.at


def _accepted(changes: StepChanges, fact: Fact) -> None:
    changes.row(fact).status = ACCEPTED


def _ended(changes: StepChanges, fact: Fact) -> StepRow:
    row = changes.row(fact)
    row.status, row.ended_at = STATUS_OF_STEP[fact.topic], fact.event.at
    return row


def _completed(changes: StepChanges, fact: Fact) -> None:
    row = _ended(changes, fact)
    row.output, row.started_at = fact.event.output, fact.event.started_at


def _failed(changes: StepChanges, fact: Fact) -> None:
    """Show the error; an attempt that could not be scheduled has only this event."""
    event, row = fact.event, _ended(changes, fact)
    row.attempt, row.error = event.attempt, event.error
    if event.started_at is not None:
        row.started_at = event.started_at


def _timed_out(changes: StepChanges, fact: Fact) -> None:
    _ended(changes, fact).error = TIMED_OUT[fact.event.scope]


def _cancelled(changes: StepChanges, fact: Fact) -> None:
    _ended(changes, fact).cancel_reason = clean(fact.event.reason)


def _skipped(changes: StepChanges, fact: Fact) -> None:
    row = changes.row(fact)
    row.status, row.ended_at = SKIPPED, fact.event.at
    row.skip_reason = clean(fact.event.reason)


def _diverted(changes: StepChanges, fact: Fact) -> None:
    changes.row(fact).chosen = [fact.event.target]


def reopened(changes: StepChanges, fact: Fact, step: str) -> StepRow:
    """Return the row of a step that is now between two attempts."""
    row = changes.row_of(fact, step)
    row.status, row.reopened_at = RETRYING, fact.event.at
    row.cancel_reason = row.started_at = row.ended_at = row.due_at = None
    return row


def _retry_scheduled(changes: StepChanges, fact: Fact) -> None:
    """Go on later; attempt stays the number of the one that was made."""
    reopened(changes, fact, fact.event.step).due_at = fact.event.due_at


def _retried(changes: StepChanges, fact: Fact) -> None:
    reopened(changes, fact, fact.event.step)


def _reassigned(changes: StepChanges, fact: Fact) -> None:
    reopened(changes, fact, fact.event.step).agent = fact.event.agent


def _cost_recorded(changes: StepChanges, fact: Fact) -> None:
    """Add the use of one attempt; every attempt of the step counts."""
    event, row = fact.event, changes.row(fact)
    if event.usage is not None:
        row.input_tokens += event.usage.input_tokens
        row.output_tokens += event.usage.output_tokens
    if event.cost is not None:
        changes.spend(fact, event.cost)
    elif is_unpriced(event):
        row.unpriced += 1


def _cost_corrected(changes: StepChanges, fact: Fact) -> None:
    """Let the new amount count."""
    event, row = fact.event, changes.row(fact)
    row.unpriced += (event.after is None) - (event.before is None)
    for cost in differences(event.before, event.after):
        changes.spend(fact, cost)


# The events of a step that change more than its position.
HANDLERS: Mapping[str, Handler[StepChanges]] = {
    "StepScheduled": _scheduled,
    "StepStarted": _started,
    "StepAccepted": _accepted,
    "StepCompleted": _completed,
    "StepSkipped": _skipped,
    "StepFailed": _failed,
    "StepTimedOut": _timed_out,
    "StepRetryScheduled": _retry_scheduled,
    "StepDiverted": _diverted,
    "StepCancelled": _cancelled,
    "StepRetried": _retried,
    "StepReassigned": _reassigned,
    "TimerStarted": _timer_started,
    "TimerMoved": _timer_moved,
    "ApprovalRequested": _approval_requested,
    "ApprovalRefused": _decided("refused"),
    "ApprovalChangesRequested": _decided("changes_requested"),
    "ApprovalExpired": _decided("expired"),
    "GatewayEvaluated": _gateway_evaluated,
    "SubProcessStarted": _sub_process_started,
    "ItemsListed": _items_listed,
    "ItemsResumed": _items_listed,
    "ItemCompleted": _item_completed,
    "ItemFailed": _item_failed,
    "RoundCompleted": _round_completed,
    "CompensationStarted": _undoing("started"),
    "CompensationCompleted": _undoing("completed"),
    "CompensationFailed": _undoing("failed"),
    "CostRecorded": _cost_recorded,
    "CostCorrected": _cost_corrected,
}


def write(connection: Connection[Any], changes: StepChanges) -> None:
    """Write `changes` to execution_steps and execution_step_costs."""
    STEPS.write(connection, changes.rows.values())
    COSTS.write(connection, [StepCostRow(*key, amount) for key, amount in changes.costs.items()])
