"""The steps that wait for something other than a worker's call: the part of execution_list with a row a waiting step.

Attempts that are due or that a worker has under way come and go quickly, and the append keeps them in `due_steps`; see
queries/waits.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.executions.events.outcomes import ACCEPTED, RETRYING, STARTED, WAITING
from domain.executions.timers import DEADLINE, RETRY, ROUND, TIMER
from domain.executions.waiting import awaited_by_step
from projections.facts import Fact
from projections.projection import Handler
from projections.table import OFTEN_UPDATED, Table, always, key, replaced
from store import arrays

WaitKey = tuple[bytes, str]

# The kind of what a step waits for after the event that begins an attempt, or that lets another one come.
OF_LATER_ANSWER = awaited_by_step(ACCEPTED, "agent_task")
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


ANY = "select from execution_list_waits limit 1"
# Most executions have no waits, and one probe of the index proves it. No join, as in migration 0038.
END = """
delete from execution_list_waits t where t.execution_id = any(%b)
  and ((t.execution_id, t.step) in (select * from unnest(%b, %b))) is true"""


class WaitChanges:
    """The changes of a page. begun: waits by execution and step; moved: other ends of waits that earlier pages began.

    over: by execution, the steps that wait for nothing, or for something else, since; some more than once.
    """

    __slots__ = ("begun", "moved", "over")

    def __init__(self) -> None:
        self.begun: dict[WaitKey, WaitRow] = {}
        self.over: dict[bytes, list[str]] = {}
        self.moved: dict[WaitKey, datetime] = {}

    def begin(self, stream: bytes, step: str, kind: str | None, until: datetime | None = None) -> None:
        """Let the step wait for `kind`, or for nothing."""
        if kind is None:
            self.end(stream, step)
        else:
            self.begun[stream, step] = WaitRow(stream, step, kind, until)

    def end(self, stream: bytes, step: str) -> None:
        """Let the step wait for nothing."""
        if self.begun:
            self.begun.pop((stream, step), None)
        steps = self.over.get(stream)
        if steps is None:
            self.over[stream] = [step]
        else:
            steps.append(step)


def _ended(waits: WaitChanges, fact: Fact) -> None:
    waits.end(fact.stream, fact.event.step)


def _scheduled(waits: WaitChanges, fact: Fact) -> None:
    """End the wait for a retry; before the first attempt there is none."""
    if fact.event.attempt > 1:
        waits.end(fact.stream, fact.event.step)


def _accepted(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_LATER_ANSWER)


def _timer_started(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_TIMER, fact.event.due_at)


def _approval_requested(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_APPROVAL, fact.event.deadline)


def _sub_process_started(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_CALL[fact.event.wait])


def _items_listed(waits: WaitChanges, fact: Fact) -> None:
    waits.begin(fact.stream, fact.event.step, OF_CALL[True])


def _round_completed(waits: WaitChanges, fact: Fact) -> None:
    """Wait for the time of the next round; the event that begins it at once follows in the same append."""
    if fact.event.next_at is not None:
        waits.begin(fact.stream, fact.event.step, OF_TIMER, fact.event.next_at)


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
    if event.kind not in (TIMER, RETRY, DEADLINE, ROUND):
        return
    if key in waits.begun:
        waits.begun[key].until = event.due_at
    else:
        waits.moved[key] = event.due_at


_BEGIN: Mapping[str, Handler[WaitChanges]] = {
    "StepAccepted": _accepted,
    "TimerStarted": _timer_started,
    "ApprovalRequested": _approval_requested,
    "SubProcessStarted": _sub_process_started,
    "ItemsListed": _items_listed,
    "ItemsResumed": _items_listed,
    "RoundCompleted": _round_completed,
    "StepRetryScheduled": _retry_scheduled,
    "StepRetried": _reopened,
    "StepReassigned": _reopened,
    "ExecutionRetried": _execution_retried,
}
_END = ("StepCompleted", "StepFailed", "StepTimedOut", "StepCancelled", "StepSkipped", "GatewayEvaluated")
# The events after which a step waits for something else, or for nothing.
HANDLERS: Mapping[str, Handler[WaitChanges]] = {
    **_BEGIN,
    **dict.fromkeys(_END, _ended),
    "StepScheduled": _scheduled,
    "TimerMoved": _timer_moved,
}


def write(connection: Connection[Any], facts: Sequence[Fact]) -> None:
    """Write the changes by `facts`, those of a page that have a handler, to execution_list_waits.

    Most pages only end attempts of agents. Where nothing waits, there is nothing to fold.
    """
    if _BEGIN.keys().isdisjoint([fact.topic for fact in facts]) and connection.execute(ANY, prepare=True).rowcount == 0:
        return
    changes = WaitChanges()
    for fact in facts:
        HANDLERS[fact.topic](changes, fact)
    WAITS.update(connection, [MovedWait(*key, until) for key, until in changes.moved.items()], "until")
    if changes.over:
        pairs = [(stream, step) for stream, steps in changes.over.items() for step in steps]
        keys = arrays.uuid_bytes([stream for stream, _ in pairs]), arrays.texts([step for _, step in pairs])
        connection.execute(END, (arrays.uuid_bytes(list(changes.over)), *keys), prepare=True)
    WAITS.write(connection, changes.begun.values())
