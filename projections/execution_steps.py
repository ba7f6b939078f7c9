"""The steps of executions as they are folded for execution_detail: what each event changes in a step's row."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.executions.state.step import time_out
from domain.executions.timers import DEADLINE, RETRY, TIMER
from domain.money import add
from projections.facts import Fact
from projections.projection import clean
from projections.shapes import EMPTY

# What a step that took too long shows for an error: its event leaves that to the scope.
TIMED_OUT = {scope: msgspec.Raw(msgspec.json.encode(time_out(scope))) for scope in ("attempt", "total")}


class StepRow(msgspec.Struct, gc=False):
    """What a page changes in a step: None leaves a column as it is, tokens and unpriced attempts are added.

    scheduled_at: given exactly when a new attempt was reached; all that belongs to the one before is then forgotten.
    reopened_at: given exactly when the step went on after an attempt; how that one ended is then forgotten, but not its
    error. due_at: until when the step waits, or waited last. compensation: how far it is undone.
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
    reopened_at: datetime | None = None
    due_at: datetime | None = None
    chosen: bytes | None = None
    conditions: msgspec.Raw | None = None
    compensation: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0


class StepChanges:
    """Rows by execution and step, amounts by execution, step and currency."""

    __slots__ = ("costs", "rows")

    def __init__(self) -> None:
        self.rows: dict[tuple[bytes, str], StepRow] = {}
        self.costs: dict[tuple[bytes, str, str], Decimal] = {}

    def row(self, fact: Fact) -> StepRow:
        """The row of the fact's step."""
        return self.row_of(fact, fact.event.step)

    def row_of(self, fact: Fact, step: str) -> StepRow:
        """The row of a step, which has moved to this fact."""
        key = fact.stream, step
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = StepRow(fact.position, fact.position)
        else:
            row.last_position = fact.position
        return row

    def attempt(self, fact: Fact, status: str) -> StepRow:
        """The row of the fact's step with a new attempt: it begins anew but for where it stands and what was used."""
        event, before = fact.event, self.row(fact)
        row = self.rows[fact.stream, event.step] = StepRow(
            fact.position,
            before.first_position,
            status,
            event.attempt,
            before.agent,
            scheduled_at=event.at,
            reopened_at=before.reopened_at,
            compensation=before.compensation,
            input_tokens=before.input_tokens,
            output_tokens=before.output_tokens,
            unpriced=before.unpriced,
        )
        return row


def scheduled(changes: StepChanges, fact: Fact) -> None:
    """An attempt is due; what is only told to people is for no agent."""
    event, row = fact.event, changes.attempt(fact, "scheduled")
    row.message, row.parameters = event.message, event.parameters
    if event.agent:
        row.agent = event.agent


def timer_started(changes: StepChanges, fact: Fact) -> None:
    """A timer step waits."""
    event, row = fact.event, changes.attempt(fact, "waiting")
    row.started_at, row.due_at = event.at, event.due_at


def approval_requested(changes: StepChanges, fact: Fact) -> None:
    """An approval step waits for people."""
    event, row = fact.event, changes.attempt(fact, "waiting")
    row.started_at, row.due_at = event.at, event.deadline


def sub_process_started(changes: StepChanges, fact: Fact) -> None:
    """Another execution is to run; the step waits for it, or StepCompleted follows."""
    event, row = fact.event, changes.attempt(fact, "waiting" if fact.event.wait else "started")
    row.started_at, row.message, row.parameters = event.at, event.input, EMPTY


def undoing(status: str) -> Callable[[StepChanges, Fact], None]:
    """How far the step is undone."""

    def handle(changes: StepChanges, fact: Fact) -> None:
        changes.row(fact).compensation = status

    return handle


def timer_moved(changes: StepChanges, fact: Fact) -> None:
    """Another time; that of a timeout or a heartbeat is not what the step waits for."""
    row = changes.row(fact)
    if fact.event.kind in (TIMER, RETRY, DEADLINE):
        row.due_at = fact.event.due_at


def gateway_evaluated(changes: StepChanges, fact: Fact) -> None:
    """The gateway has chosen; StepCompleted ends it."""
    event, row = fact.event, changes.attempt(fact, "started")
    row.started_at, row.chosen, row.conditions = event.at, bytes(event.chosen), event.conditions


def started(changes: StepChanges, fact: Fact) -> None:
    """A worker has the attempt."""
    row = changes.row(fact)
    row.status, row.started_at = "started", fact.event.at


def touched(changes: StepChanges, fact: Fact) -> None:
    """Something happened that another event of the same decision accounts for, or that changes nothing to be shown."""
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


def timed_out(changes: StepChanges, fact: Fact) -> None:
    """The attempt, or the whole step, took too long."""
    event, row = fact.event, changes.row(fact)
    row.status, row.error, row.ended_at = "timed_out", TIMED_OUT[event.scope], event.at


def retry_scheduled(changes: StepChanges, fact: Fact) -> None:
    """The step goes on after all, later; attempt stays the number of the one that was made."""
    reopened(changes, fact, fact.event.step).due_at = fact.event.due_at


def retried(changes: StepChanges, fact: Fact) -> None:
    """The step goes on after all, now."""
    reopened(changes, fact, fact.event.step)


def reassigned(changes: StepChanges, fact: Fact) -> None:
    """The step goes on after all, with another agent."""
    reopened(changes, fact, fact.event.step).agent = fact.event.agent


def reopened(changes: StepChanges, fact: Fact, step: str) -> StepRow:
    """The row of a step that is between two attempts."""
    row = changes.row_of(fact, step)
    row.status, row.reopened_at = "retrying", fact.event.at
    row.cancel_reason = row.started_at = row.ended_at = row.due_at = None
    return row


def diverted(changes: StepChanges, fact: Fact) -> None:
    """The process goes on at one step alone."""
    changes.row(fact).chosen = msgspec.json.encode([fact.event.target])


def skipped(changes: StepChanges, fact: Fact) -> None:
    """The step does not run, or what became of it does not count."""
    row = changes.row(fact)
    row.status, row.ended_at = "skipped", fact.event.at
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
        if event.cost is None and (event.usage.input_tokens or event.usage.output_tokens):
            row.unpriced += 1
    if event.cost is not None:
        key = fact.stream, event.step, event.cost.currency
        changes.costs[key] = add(changes.costs.get(key, Decimal(0)), event.cost.amount)
