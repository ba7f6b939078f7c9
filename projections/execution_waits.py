"""The steps for which executions wait: the part of execution_list that has a row a waiting step."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.executions.outcomes import RETRYING, SCHEDULED, STARTED, WAITING
from domain.executions.timers import DEADLINE, RETRY, TIMER
from domain.executions.waiting import awaited_by_step
from projections.facts import STATUS_OF_STEP, Fact
from projections.projection import Handler
from projections.table import OFTEN_UPDATED, Table, always, key, replaced

StepKey = tuple[bytes, str]

# The kind of what a step waits for after the event that begins an attempt, or that lets another one come.
AGENT = awaited_by_step(SCHEDULED, "agent_task")
OF_TIMER = awaited_by_step(WAITING, "timer")
OF_APPROVAL = awaited_by_step(WAITING, "human_approval")
OF_RETRY = awaited_by_step(RETRYING, "")
OF_CALL = {
    wait: awaited_by_step(status, "sub_process") for wait, status in ((True, WAITING), (False, STARTED))
}  # fmt: skip


class WaitRow(msgspec.Struct, gc=False):
    """A step that waits. until: the end of the wait, where it has one."""

    execution_id: Annotated[bytes, key("uuid not null")]
    step: Annotated[str, key("text not null")]
    kind: Annotated[str, always("text")]
    until: Annotated[datetime | None, replaced("timestamptz")] = None


class MovedWait(msgspec.Struct, gc=False):
    """Another end of a wait that an earlier page began."""

    execution_id: bytes
    step: str
    until: datetime


WAITS = Table("execution_list_waits", WaitRow, f"fillfactor = 80, {OFTEN_UPDATED}")
INDEX = "create index execution_list_waits_kind_idx on execution_list_waits (kind, execution_id)"


class WaitChanges:
    """The changes of a page, by execution and step. begun: waits; over: those that ended; moved: their other ends."""

    __slots__ = ("begun", "moved", "over")

    def __init__(self) -> None:
        self.begun: dict[StepKey, WaitRow] = {}
        self.over: set[StepKey] = set()
        self.moved: dict[StepKey, datetime] = {}

    def begin(self, stream: bytes, step: str, kind: str | None, until: datetime | None = None) -> None:
        """Let the step wait for `kind`, or for nothing."""
        key = stream, step
        if kind is None:
            self.begun.pop(key, None)
            self.over.add(key)
        else:
            self.begun[key] = WaitRow(stream, step, kind, until)

    def end(self, fact: Fact) -> None:
        """Let the fact's step wait for nothing."""
        key = fact.stream, fact.event.step
        self.begun.pop(key, None)
        self.over.add(key)


def _scheduled(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, AGENT)


def _timer_started(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_TIMER, fact.event.due_at)


def _approval_requested(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_APPROVAL, fact.event.deadline)


def _sub_process_started(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_CALL[fact.event.wait])


def _retry_scheduled(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_RETRY, fact.event.due_at)


def _reopened(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_RETRY)


def _execution_retried(waits: WaitChanges, fact: Fact) -> None:
    for step in fact.event.steps:
        waits.begin(fact.stream, step, OF_RETRY)


def _timer_moved(waits: WaitChanges, fact: Fact) -> None:
    """Take the new time; a step does not wait for a timeout or a heartbeat."""
    event, key = fact.event, (fact.stream, fact.event.step)
    if event.kind not in (TIMER, RETRY, DEADLINE):
        return
    if key in waits.begun:
        waits.begun[key].until = event.due_at
    else:
        waits.moved[key] = event.due_at


# The events after which a step waits for something else, or for nothing.
HANDLERS: Mapping[str, Handler[WaitChanges]] = {
    **dict.fromkeys((*STATUS_OF_STEP, "StepSkipped"), WaitChanges.end),
    "StepScheduled": _scheduled,
    "TimerStarted": _timer_started,
    "ApprovalRequested": _approval_requested,
    "SubProcessStarted": _sub_process_started,
    "GatewayEvaluated": WaitChanges.end,
    "StepRetryScheduled": _retry_scheduled,
    "StepRetried": _reopened,
    "StepReassigned": _reopened,
    "ExecutionRetried": _execution_retried,
    "TimerMoved": _timer_moved,
}


def write(connection: Connection[Any], changes: WaitChanges, new: Iterable[bytes]) -> None:
    """Write `changes` to execution_list_waits. new: the executions of which no earlier page has rows."""
    begun, unseen = changes.begun, frozenset(new)
    moved = [MovedWait(*key, until) for key, until in changes.moved.items() if key[0] not in unseen]
    WAITS.update(connection, moved, "until")
    WAITS.delete(connection, [key for key in changes.over if key not in begun and key[0] not in unseen])
    WAITS.write(connection, begun.values())
