"""How each event changes the state of an execution."""

from collections.abc import Callable, Iterable
from typing import Any

from domain.event import Event
from domain.executions import (
    approval_events,
    approval_evolution,
    child_events,
    child_evolution,
    compensation_events,
    compensation_evolution,
    events,
    step_evolution,
    timer_evolution,
)
from domain.executions.events import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.state import (
    ACCEPTED,
    ACTIVE,
    CANCELLED,
    COMPENSATING,
    COMPLETED,
    FAILED,
    OPEN,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SKIPPED,
    STARTED,
    TIMED_OUT,
    UNDER_WAY,
    WAITING,
    Execution,
    StepState,
)

__all__ = [
    "ACCEPTED",
    "ACTIVE",
    "CANCELLED",
    "COMPENSATING",
    "COMPLETED",
    "FAILED",
    "OPEN",
    "QUEUED",
    "RETRYING",
    "RUNNING",
    "SCHEDULED",
    "SKIPPED",
    "STARTED",
    "TIMED_OUT",
    "UNDER_WAY",
    "WAITING",
    "Execution",
    "StepState",
    "evolve",
    "fold",
]


def evolve(execution: Execution, event: Event) -> Execution:
    """The state after `event`. The execution given is changed and returned: decisions evolve a copy of theirs."""
    _EVOLVE[type(event)](execution, event)
    execution.version += 1
    return execution


def fold(execution: Execution, events: Iterable[Event]) -> Execution:
    """The state after all `events`, in order; `execution` itself is left alone."""
    folded = execution.copy()
    for event in events:
        evolve(folded, event)
    return folded


def _started(execution: Execution, event: ExecutionStarted) -> None:
    execution.status = RUNNING
    execution.input = event.input
    execution.trigger = event.trigger
    execution.parent = event.parent
    execution.started_at = event.at
    execution.waiting = execution.plan.waiting.copy()
    execution.open = execution.plan.size


def _queued(execution: Execution, event: ExecutionQueued) -> None:
    execution.status = QUEUED


def _admitted(execution: Execution, event: ExecutionAdmitted) -> None:
    execution.status, execution.started_at = RUNNING, event.at


def _completed(execution: Execution, event: ExecutionCompleted) -> None:
    _end(execution, COMPLETED, event)


def _failed(execution: Execution, event: ExecutionFailed) -> None:
    _end(execution, FAILED, event)


def _cancelled(execution: Execution, event: ExecutionCancelled) -> None:
    _end(execution, CANCELLED, event)


def _end(execution: Execution, status: str, event: Event) -> None:
    execution.status, execution.ended_at = status, event.at
    execution.timers.clear()
    execution.children.clear()


def _retried(execution: Execution, event: ExecutionRetried) -> None:
    execution.status, execution.ended_at = RUNNING, None
    for step in event.steps:
        step_evolution.begun_anew(execution, step)


_EVOLVE: dict[type[Event], Callable[[Execution, Any], None]] = {
    ExecutionStarted: _started,
    ExecutionQueued: _queued,
    ExecutionAdmitted: _admitted,
    ExecutionCompleted: _completed,
    ExecutionFailed: _failed,
    ExecutionCancelled: _cancelled,
    ExecutionRetried: _retried,
    events.StepScheduled: step_evolution.scheduled,
    events.StepStarted: step_evolution.started,
    events.StepReclaimed: step_evolution.noted,
    events.StepAccepted: step_evolution.accepted,
    events.StepCompleted: step_evolution.completed,
    events.StepFailed: step_evolution.failed,
    events.StepTimedOut: step_evolution.timed_out,
    events.StepHeartbeatMissed: step_evolution.heartbeat_missed,
    events.StepRetryScheduled: step_evolution.retry_scheduled,
    events.StepSkipped: step_evolution.skipped,
    events.StepDiverted: step_evolution.diverted,
    events.StepCancelled: step_evolution.cancelled,
    events.StepAnswerIgnored: step_evolution.answer_ignored,
    events.StepRetried: step_evolution.retried,
    events.StepReassigned: step_evolution.reassigned,
    events.CostRecorded: step_evolution.cost_recorded,
    events.GatewayEvaluated: step_evolution.gateway_evaluated,
    events.TimerStarted: timer_evolution.started,
    events.TimerFired: timer_evolution.ended,
    events.TimerCancelled: timer_evolution.ended,
    events.TimerMoved: timer_evolution.moved,
    approval_events.ApprovalRequested: approval_evolution.requested,
    approval_events.ApprovalGranted: approval_evolution.granted,
    approval_events.ApprovalRefused: approval_evolution.refused,
    approval_events.ApprovalChangesRequested: approval_evolution.changes_requested,
    approval_events.ApprovalExpired: approval_evolution.expired,
    approval_events.ApprovalCancelled: approval_evolution.cancelled,
    child_events.SubProcessStarted: child_evolution.started,
    child_events.SubProcessClosed: child_evolution.closed,
    compensation_events.CompensationRequired: compensation_evolution.required,
    compensation_events.CompensationStarted: compensation_evolution.started,
    compensation_events.CompensationCompleted: compensation_evolution.noted,
    compensation_events.CompensationFailed: compensation_evolution.noted,
}
