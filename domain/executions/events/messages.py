"""The events that are messages to another execution, to a schedule or to an agent, and their recipients."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any
from uuid import UUID

from domain.event import Event
from domain.executions.events.child import ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import ExecutionCancelled, ExecutionCompleted, ExecutionFailed
from domain.executions.events.step import StepCancelled, StepHeartbeatMissed, StepTimedOut
from domain.identity import agent_id


def _agent(event: Any) -> UUID | None:
    return None if event.tell is None else agent_id(event.tell)


def _waiting(event: Any) -> UUID | None:
    recipient: UUID | None = event.reports_to
    return event.schedule_id if recipient is None else recipient


# By the kind of event, its recipient: a child that is to begin or to be cancelled, a parent or a schedule that waits
# for this end, an agent whose answer is no longer awaited.
RECIPIENTS: dict[type[Event], Callable[[Any], UUID | None]] = {
    SubProcessStarted: attrgetter("child"),
    ItemStarted: attrgetter("child"),
    SubProcessClosed: attrgetter("child"),
    ExecutionCompleted: _waiting,
    ExecutionFailed: _waiting,
    ExecutionCancelled: _waiting,
    StepCancelled: _agent,
    StepHeartbeatMissed: _agent,
    StepTimedOut: _agent,
}
MESSAGES = frozenset(RECIPIENTS)


def recipient_of(event: Event) -> UUID | None:
    """Return the recipient of `event`: an execution, a schedule or an agent; None for an event that is no message."""
    recipient = RECIPIENTS.get(type(event))
    return None if recipient is None else recipient(event)
