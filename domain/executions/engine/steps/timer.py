"""Timer steps: wait until a time."""

from datetime import datetime

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.step import StepCompleted
from domain.executions.events.timer import TimerFired, TimerStarted
from domain.executions.state.model import StepState
from domain.executions.timers import TIMER
from domain.language.expressions import Scope
from domain.processes.plan import PlannedTimer


def begin(unfolding: Unfolding, step: PlannedTimer, attempt: int, visible: Scope) -> bool:
    """Evaluate the due time and wait for it; end at once when it is now or past."""
    return _start(unfolding, step.id, attempt, step.due_at(visible, unfolding.cause.at))


def begin_again(unfolding: Unfolding, step: PlannedTimer, before: StepState) -> bool:
    """Wait for the same instant again: it is evaluated once, when the step is reached."""
    assert before.due_at is not None
    return _start(unfolding, step.id, before.attempt + 1, before.due_at)


def fire(unfolding: Unfolding, step: str) -> bool:
    """Complete the step; its time has come."""
    execution, now = unfolding.execution, unfolding.cause.at
    state, due_at = execution.steps[step], execution.timers[step, TIMER]
    unfolding.record(TimerFired, step=step, attempt=state.attempt, due_at=due_at, lateness=now - due_at)
    unfolding.record(StepCompleted, step=step, attempt=state.attempt, output=None, started_at=state.started_at)
    return True


def _start(unfolding: Unfolding, step: str, attempt: int, due_at: datetime) -> bool:
    unfolding.record(TimerStarted, step=step, attempt=attempt, due_at=due_at)
    return due_at <= unfolding.cause.at and fire(unfolding, step)
