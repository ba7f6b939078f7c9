"""How events change what of an execution is still to be undone. What undoes it are steps, and evolve as steps do."""

from domain.executions.compensation_events import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.state import COMPENSATING, Execution, Outcome
from domain.executions.timer_evolution import end_step


def required(execution: Execution, event: CompensationRequired) -> None:
    """How it will end is settled; it ends when all is undone. Nothing else of it goes on."""
    execution.status = COMPENSATING
    execution.timers.clear()
    execution.outcome = Outcome(event.outcome, event.error, event.step, event.reason)


def started(execution: Execution, event: CompensationStarted) -> None:
    """One thing less to begin with."""
    execution.undo = tuple(step for step in execution.undo if step != event.step)


def noted(execution: Execution, event: CompensationCompleted | CompensationFailed) -> None:
    """The step that undoes has ended, and for good."""
    end_step(execution, execution.plan.compensations[event.step])
