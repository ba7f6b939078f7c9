"""How events change the timers of an execution."""

from datetime import datetime

from msgspec.structs import replace

from domain.executions.events.timer import TimerCancelled, TimerFired, TimerMoved, TimerStarted
from domain.executions.outcomes import SCHEDULED, WAITING
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, StepState
from domain.executions.timers import DEADLINE, HEARTBEAT, RETRY, TIMEOUT, TIMER, TOTAL_TIMEOUT
from domain.processes.plan import PlannedAgentTask, PlannedStep


@evolves(TimerStarted)
def started(execution: Execution, event: TimerStarted) -> None:
    """A timer step waits."""
    before = execution.steps.get(event.step) or StepState(SCHEDULED, event.attempt, first_attempt=event.attempt)
    began_at = before.began_at or event.at
    execution.steps[event.step] = StepState(
        WAITING,
        event.attempt,
        started_at=event.at,
        first_attempt=before.first_attempt,
        began_at=began_at,
        due_at=event.due_at,
    )
    execution.timers.pop((event.step, RETRY), None)
    execution.timers[event.step, TIMER] = event.due_at
    start_timeouts(execution, execution.plan.steps[event.step], event.at, began_at)


@evolves(TimerFired)
@evolves(TimerCancelled)
def ended(execution: Execution, event: TimerFired | TimerCancelled) -> None:
    """A timer step waits no longer."""
    execution.timers.pop((event.step, TIMER), None)


@evolves(TimerMoved)
def moved(execution: Execution, event: TimerMoved) -> None:
    """Another time."""
    execution.timers[event.step, event.kind] = event.due_at
    if event.kind in (TIMER, DEADLINE):
        execution.steps[event.step] = replace(execution.steps[event.step], due_at=event.due_at)


def start_timeouts(execution: Execution, step: PlannedStep, at: datetime, began_at: datetime) -> None:
    """An attempt begins at `at`; the first one that total_timeout covers began at `began_at`."""
    if step.timeout is not None:
        execution.timers[step.id, TIMEOUT] = at + step.timeout
    if step.total_timeout is not None:
        # From the second attempt on it runs already, and may have been moved.
        execution.timers.setdefault((step.id, TOTAL_TIMEOUT), began_at + step.total_timeout)


def start_heartbeat(execution: Execution, step: str, at: datetime) -> None:
    """The agent will answer later, and is to show that it lives."""
    planned = execution.plan.steps[step]
    if isinstance(planned, PlannedAgentTask) and planned.heartbeat is not None:
        execution.timers[step, HEARTBEAT] = at + planned.heartbeat


def end_attempt(execution: Execution, step: str) -> None:
    """No attempt of the step goes on."""
    timers = execution.timers
    if timers:
        timers.pop((step, TIMEOUT), None)
        timers.pop((step, HEARTBEAT), None)
        timers.pop((step, DEADLINE), None)


def end_step(execution: Execution, step: str) -> None:
    """No attempt of the step goes on, and none is to come of itself."""
    timers = execution.timers
    if timers:
        end_attempt(execution, step)
        timers.pop((step, TOTAL_TIMEOUT), None)
        timers.pop((step, RETRY), None)
