"""How events change what of an execution is still to be undone. What undoes it are steps, and evolve as steps do."""

from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.outcomes import COMPENSATING
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, Outcome
from domain.executions.state.timer import end_step


@evolves(CompensationRequired)
def required(execution: Execution, event: CompensationRequired) -> None:
    """How it will end is settled; it ends when all is undone. Nothing else of it goes on."""
    execution.status = COMPENSATING
    execution.timers.clear()
    execution.outcome = Outcome(event.outcome, event.error, event.step, event.reason)


@evolves(CompensationStarted)
def started(execution: Execution, event: CompensationStarted) -> None:
    """One thing less to begin with."""
    execution.undo = tuple(step for step in execution.undo if step != event.step)


@evolves(CompensationCompleted)
@evolves(CompensationFailed)
def noted(execution: Execution, event: CompensationCompleted | CompensationFailed) -> None:
    """The step that undoes has ended, and for good."""
    end_step(execution, execution.plan.compensations[event.step])
