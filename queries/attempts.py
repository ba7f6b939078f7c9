"""The attempts of an execution's steps, folded from the events of its stream."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.executions.events.outcomes import (
    ACCEPTED,
    CANCELLED,
    COMPLETED,
    FAILED,
    SCHEDULED,
    STARTED,
    TIMED_OUT,
    WAITING,
)
from domain.executions.state.step import time_out
from domain.money import add
from queries.amounts import Amount
from queries.repetitions import ITEMS_AND_ROUNDS, events_outside
from store.arrays import texts

MOST_EVENTS = 10_000
"""Of an execution with more events of attempts, the newest are read: its oldest attempts are left out."""
LONGEST_MESSAGE = 2_000
TOO_LONG = "the message is too long for a list"

_ENDS = {"StepCompleted": COMPLETED, "StepFailed": FAILED, "StepTimedOut": TIMED_OUT, "StepCancelled": CANCELLED}
# An attempt that goes through a list begins with it; its items, of which there may be many, are no attempts.
_WAITS = ("ApprovalRequested", "TimerStarted", "SubProcessStarted", "ItemsListed", "ItemsResumed")
_MOVES = {
    "StepStarted": STARTED,
    "StepAccepted": ACCEPTED,
    "GatewayEvaluated": STARTED,
    **dict.fromkeys(_WAITS, WAITING),
}
TOPICS = ("StepScheduled", *_MOVES, *_ENDS, "StepAnswerIgnored", "CostRecorded", "CostCorrected")


def shown_message(message: str) -> str:
    """Return the SQL of a message, or of words in its place if it is long: a part of it might show what is masked."""
    return f"case when length({message}) <= {LONGEST_MESSAGE} then {message} else '{TOO_LONG}' end"


_BEFORE_ITEMS = """',"items":'::bytea"""
# A large event holds a document that an attempt does not show: the server sends the rest of it. The fields that an
# attempt shows stand before the items of a list, which may be larger than any other document.
_ATTEMPTS = f"""select topic, case when octet_length(state) <= 4096 then state
  when topic in ('ItemsListed', 'ItemsResumed') and position({_BEFORE_ITEMS} in substr(state, 1, 4096)) > 0
  then substr(state, 1, position({_BEFORE_ITEMS} in substr(state, 1, 4096)) - 1) || '}}'::bytea
  else (
    select convert_to(json_build_object(
      'at', at, 'step', step, 'attempt', coalesce(attempt, '0'), 'agent', agent, 'started_at', started_at,
      'scope', scope, 'cost', cost, 'before', before, 'after', after,
      'usage', case when usage is not null then json_build_object(
        'input_tokens', coalesce(usage -> 'input_tokens', '0'),
        'output_tokens', coalesce(usage -> 'output_tokens', '0')) end,
      'error', case when error is not null then json_build_object(
        'code', error -> 'code', 'message', {shown_message("error ->> 'message'")}) end
    )::text, 'UTF8')
    from json_to_record(convert_from(state, 'UTF8')::json) as e(at json, step json, attempt json, agent json,
      started_at json, scope json, cost json, before json, after json, usage json, error json)) end
from {events_outside(ITEMS_AND_ROUNDS, "topic = any(%(topics)b)", MOST_EVENTS)} order by originator_version"""


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens used: by one attempt, or by all attempts of a step together."""

    input_tokens: int
    output_tokens: int


class _Used(msgspec.Struct, gc=False):
    input_tokens: int = 0
    output_tokens: int = 0


class AttemptError(msgspec.Struct, frozen=True):
    """The error of an attempt."""

    code: str
    message: str


class AttemptView(msgspec.Struct, frozen=True):
    """One attempt of a step. agent: the one that had it. late: the agent answered when the attempt was over.

    scheduled_at: since when it was due. started_at, ended_at: of its work, or of its wait.
    """

    attempt: int
    agent: str | None
    status: str
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    error: AttemptError | None
    usage: TokenUsage | None
    cost: list[Amount]
    late: bool


class _Happened(msgspec.Struct, gc=False):
    """The fields of an event that the fold reads."""

    at: datetime
    step: str
    attempt: int = 0
    agent: str | None = None
    started_at: datetime | None = None
    error: AttemptError | None = None
    usage: _Used | None = None
    cost: Amount | None = None
    before: Amount | None = None
    after: Amount | None = None
    scope: str | None = None


class _Attempt:
    __slots__ = ("agent", "cost", "ended_at", "error", "late", "scheduled_at", "started_at", "status", "tokens")

    def __init__(self) -> None:
        self.agent: str | None = None
        self.status = SCHEDULED
        self.scheduled_at: datetime | None = None
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.error: AttemptError | None = None
        self.tokens: tuple[int, int] | None = None
        self.cost: dict[str, Decimal] = {}
        self.late = False

    def apply(self, topic: str, event: _Happened) -> None:
        if topic == "StepScheduled":
            self.agent, self.scheduled_at = event.agent, event.at
        elif topic == "CostRecorded":
            self._spend(event)
        elif topic == "CostCorrected":
            self._correct(event)
        elif topic == "StepAnswerIgnored":
            self.late = True
        elif self.ended_at is not None:
            return  # the total time of a step may run out when its last attempt is over
        elif (end := _ENDS.get(topic)) is not None:
            self.status, self.ended_at, self.error = end, event.at, event.error
            if end == TIMED_OUT:
                error = time_out(event.scope or "attempt")
                self.error = AttemptError(error.code, error.message)
            self.started_at = self.started_at or event.started_at
        else:
            self.status, self.started_at = _MOVES[topic], self.started_at or event.at

    def _spend(self, event: _Happened) -> None:
        if event.usage is not None:
            before = self.tokens or (0, 0)
            self.tokens = before[0] + event.usage.input_tokens, before[1] + event.usage.output_tokens
        if event.cost is not None:
            self._add(event.cost.currency, Decimal(event.cost.amount))

    def _correct(self, event: _Happened) -> None:
        if event.before is not None:
            self._add(event.before.currency, Decimal(event.before.amount).copy_negate())
        if event.after is not None:
            self._add(event.after.currency, Decimal(event.after.amount))

    def _add(self, currency: str, amount: Decimal) -> None:
        self.cost[currency] = add(self.cost.get(currency, Decimal(0)), amount)

    def view(self, number: int) -> AttemptView:
        return AttemptView(
            number,
            self.agent,
            self.status,
            self.scheduled_at,
            self.started_at,
            self.ended_at,
            _shown(self.error),
            None if self.tokens is None else TokenUsage(*self.tokens),
            [Amount(f"{amount:f}", currency) for currency, amount in sorted(self.cost.items())],
            self.late,
        )


def _shown(error: AttemptError | None) -> AttemptError | None:
    """Return the error as the server sends that of a large event, so that a fold of whole events gives the same."""
    return error if error is None or len(error.message) <= LONGEST_MESSAGE else AttemptError(error.code, TOO_LONG)


_decode = msgspec.json.Decoder(_Happened).decode


def read_attempts(connection: Connection[Any], execution_id: UUID, position: int) -> dict[str, list[AttemptView]]:
    """Return the attempts of an execution by step, in their order, by its events up to a position of the log."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        given = {"id": execution_id, "position": position, "topics": texts(TOPICS)}
        rows = cursor.execute(_ATTEMPTS, given, prepare=True).fetchall()
    return fold_attempts(rows)


def fold_attempts(rows: Iterable[TupleRow]) -> dict[str, list[AttemptView]]:
    """Return the attempts that follow from events (topic, state) of one execution, by step; ignore other events."""
    found: dict[str, dict[int, _Attempt]] = {}
    for topic, state in rows:
        if topic not in _KNOWN:
            continue
        event = _decode(state)
        attempts = found.setdefault(event.step, {})
        attempt = attempts.get(event.attempt)
        if attempt is None:
            attempt = attempts[event.attempt] = _Attempt()
        attempt.apply(topic, event)
    return {step: [attempts[n].view(n) for n in sorted(attempts)] for step, attempts in found.items()}


_KNOWN = frozenset(TOPICS)
