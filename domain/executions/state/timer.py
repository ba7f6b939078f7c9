"""Evolution of timers."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from domain.executions.events.outcomes import SCHEDULED, WAITING
from domain.executions.events.timer import TimerCancelled, TimerFired, TimerMoved, TimerStarted
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, StepState
from domain.executions.timers import DEADLINE, HEARTBEAT, RETRY, ROUND, TIMEOUT, TIMER, TOTAL_TIMEOUT
from domain.processes.plan import PlannedAgentTask, PlannedStep


@evolves(TimerStarted)
def started(execution: Execution, event: TimerStarted) -> None:
    """Start the timer of a timer step."""
    begin_wait(execution, event.step, event.attempt, event.at, due_at=event.due_at)
    execution.timers[event.step, TIMER] = event.due_at


@evolves(TimerFired)
@evolves(TimerCancelled)
def ended(execution: Execution, event: TimerFired | TimerCancelled) -> None:
    """Drop the timer of a timer step."""
    execution.timers.pop((event.step, TIMER), None)


@evolves(TimerMoved)
def moved(execution: Execution, event: TimerMoved) -> None:
    """Set another due time."""
    execution.timers[event.step, event.kind] = event.due_at
    if event.kind in (TIMER, DEADLINE):
        execution.steps[event.step] = replace(execution.steps[event.step], due_at=event.due_at)


def begin_wait(
    execution: Execution, step: str, attempt: int, at: datetime, *, status: str = WAITING, **facts: Any
) -> None:
    """Begin an attempt that no worker calls an agent for; its timeouts run from `at` if it waits.

    facts: further fields of the state of the step.
    """
    before = execution.steps.get(step) or StepState(SCHEDULED, attempt, first_attempt=attempt)
    began_at = before.began_at or at
    execution.steps[step] = StepState(
        status, attempt, started_at=at, first_attempt=before.first_attempt, began_at=began_at, **facts
    )
    execution.timers.pop((step, RETRY), None)
    if status == WAITING:
        start_timeouts(execution, execution.plan.steps[step], at, began_at)


def start_timeouts(execution: Execution, step: PlannedStep, at: datetime, began_at: datetime) -> None:
    """Start the timeouts of an attempt: its timeout from `at`, the total_timeout from `began_at`."""
    if step.timeout is not None:
        execution.timers[step.id, TIMEOUT] = at + step.timeout
    if step.total_timeout is not None:
        # From the second attempt on this timer runs already, and may have been moved.
        execution.timers.setdefault((step.id, TOTAL_TIMEOUT), began_at + step.total_timeout)


def start_heartbeat(execution: Execution, step: str, at: datetime) -> None:
    """Start the heartbeat timer of an attempt whose agent answers later."""
    planned = execution.plan.steps[step]
    if isinstance(planned, PlannedAgentTask) and planned.heartbeat is not None:
        execution.timers[step, HEARTBEAT] = at + planned.heartbeat


def end_attempt(execution: Execution, step: str) -> None:
    """Drop the timers of the attempt."""
    timers = execution.timers
    if timers:
        timers.pop((step, TIMEOUT), None)
        timers.pop((step, HEARTBEAT), None)
        timers.pop((step, DEADLINE), None)
        timers.pop((step, ROUND), None)


def end_step(execution: Execution, step: str) -> None:
    """Drop the timers of the attempt, of the step, and of its next attempt."""
    timers = execution.timers
    if timers:
        end_attempt(execution, step)
        timers.pop((step, TOTAL_TIMEOUT), None)
        timers.pop((step, RETRY), None)
