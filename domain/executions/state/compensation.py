"""Evolution of compensation. Compensating steps evolve as steps do."""

from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.events.outcomes import COMPENSATING
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, SettledOutcome
from domain.executions.state.timer import end_step


@evolves(CompensationRequired)
def required(execution: Execution, event: CompensationRequired) -> None:
    """Settle the outcome; it takes effect after compensation, and no other step begins."""
    execution.status = COMPENSATING
    execution.timers.clear()
    execution.outcome = SettledOutcome(event.outcome, event.error, event.step, event.reason)


@evolves(CompensationStarted)
def started(execution: Execution, event: CompensationStarted) -> None:
    """Take the step off the list of steps to compensate."""
    execution.undo = tuple(step for step in execution.undo if step != event.step)


@evolves(CompensationCompleted)
@evolves(CompensationFailed)
def noted(execution: Execution, event: CompensationCompleted | CompensationFailed) -> None:
    """Close the compensating step; it has ended for good."""
    end_step(execution, execution.plan.compensations[event.step])
