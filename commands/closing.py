"""Close what an execution leaves open, as its stream states it, without the engine."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec

from domain.catalogue import STORED_NAMES
from domain.event import Cause, Event, record
from domain.executions.events.approval import (
    ApprovalCancelled,
    ApprovalChangesRequested,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
)
from domain.executions.events.child import ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.repetition import ItemCompleted, ItemFailed, RoundCompleted
from domain.executions.events.step import StepCancelled, StepCompleted, StepFailed, StepTimedOut

REASON = "execution_cancelled"

_CLOSED = STORED_NAMES[SubProcessClosed]
_STARTED = frozenset((STORED_NAMES[SubProcessStarted], STORED_NAMES[ItemStarted]))
# The child of an item or of a round has ended, while its step may go on.
_REPEATED = frozenset(STORED_NAMES[kind] for kind in (ItemCompleted, ItemFailed, RoundCompleted))
_REQUESTED = STORED_NAMES[ApprovalRequested]
_DECIDED = (ApprovalGranted, ApprovalRefused, ApprovalChangesRequested, ApprovalExpired, ApprovalCancelled)
# The end of the attempt that waits for a child: the child has ended, or SubProcessClosed closes it.
_ENDS = frozenset(STORED_NAMES[kind] for kind in (StepCompleted, StepFailed, StepTimedOut, StepCancelled))
TOPICS = sorted((*_STARTED, *_REPEATED, _CLOSED, _REQUESTED, *_ENDS, *(STORED_NAMES[kind] for kind in _DECIDED)))
"""The events that open something beside the execution, and those that close it."""


class _Opened(msgspec.Struct):
    """The fields that identify what an event opens or closes."""

    step: str
    attempt: int
    child: UUID | None = None
    approval_id: str = ""
    wait: bool = True


_decode = msgspec.json.Decoder(_Opened).decode


def closing(events: Iterable[tuple[str, bytes]], cause: Cause, closes: Callable[[str], bool]) -> list[Event]:
    """Return the events that close what a cancelled execution leaves open: its children and approvals.

    events: those of TOPICS, as stored, oldest first; one that cannot be read opens and closes nothing. closes: returns
    whether the children of a step are cancelled with the execution.
    """
    children: dict[UUID, _Opened] = {}
    waiting: dict[tuple[str, int], set[UUID]] = {}
    approvals: dict[str, _Opened] = {}
    for topic, state in events:
        try:
            event = _decode(state)
        except msgspec.MsgspecError:
            continue
        if topic in _STARTED and event.child is not None:
            children[event.child] = event
            if event.wait:
                waiting.setdefault((event.step, event.attempt), set()).add(event.child)
        elif topic in (_CLOSED, *_REPEATED):
            if event.child is not None:
                children.pop(event.child, None)
        elif topic in _ENDS:
            for child in waiting.pop((event.step, event.attempt), ()):
                children.pop(child, None)
        elif topic == _REQUESTED:
            approvals[event.approval_id] = event
        else:
            approvals.pop(event.approval_id, None)
    facts: dict[str, Any] = {"reason": REASON}
    cancelled = [
        record(ApprovalCancelled, cause, step=each.step, attempt=each.attempt, approval_id=id, **facts)
        for id, each in approvals.items()
    ]
    closed = [
        record(SubProcessClosed, cause, step=each.step, attempt=each.attempt, child=child, **facts)
        for child, each in children.items()
        if closes(each.step)
    ]
    return [*cancelled, *closed]
