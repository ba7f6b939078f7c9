"""Evolution of an execution as a whole."""

from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionEnded,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.events.outcomes import EXECUTION_STATUS, QUEUED, RUNNING
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, QueueEntry
from domain.executions.state.step import restarted


@evolves(ExecutionStarted)
def started(execution: Execution, event: ExecutionStarted) -> None:
    """Begin the execution; every edge is undecided."""
    execution.status = RUNNING
    execution.input = event.input
    execution.trigger = event.trigger
    execution.parent = event.parent
    execution.started_at = event.at
    execution.waiting = execution.plan.waiting.copy()
    execution.open = execution.plan.size


@evolves(ExecutionQueued)
def queued(execution: Execution, event: ExecutionQueued) -> None:
    """Queue the execution for a concurrency slot."""
    execution.status = QUEUED
    execution.queued = QueueEntry(event.at, event.slot_key, event.priority, event.called)


@evolves(ExecutionAdmitted)
def admitted(execution: Execution, event: ExecutionAdmitted) -> None:
    """Admit the execution to a concurrency slot; its time runs from now."""
    execution.status, execution.started_at = RUNNING, event.at


@evolves(ExecutionCompleted)
@evolves(ExecutionFailed)
@evolves(ExecutionCancelled)
def ended(execution: Execution, event: ExecutionEnded) -> None:
    """End the execution and drop its timers."""
    execution.status, execution.ended_at = EXECUTION_STATUS[type(event)], event.at
    execution.timers.clear()
    execution.children.clear()
    execution.item_children.clear()


@evolves(ExecutionRetried)
def retried(execution: Execution, event: ExecutionRetried) -> None:
    """Reopen the execution and its failed steps."""
    execution.status, execution.ended_at = RUNNING, None
    for step in event.steps:
        restarted(execution, step)
