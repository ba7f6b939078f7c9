"""Compensation: undo completed steps one by one, the last one first, and then end the execution."""

from collections.abc import Iterable

from domain.agents.calls import StepError
from domain.executions.engine.ending import conclude
from domain.executions.engine.reaching import reach
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.compensation import CompensationCompleted, CompensationFailed, CompensationStarted
from domain.executions.events.outcomes import COMPLETED, OPEN, SKIPPED


def undo(unfolding: Unfolding, ended: Iterable[str]) -> None:
    """Continue compensation after the compensating steps among `ended`; end the execution when nothing is left."""
    execution = unfolding.execution
    for step in ended:
        if execution.plan.steps[step].compensates is not None:  # the others ended before the execution failed
            _account(unfolding, step)
    if any(state.status in OPEN for state in execution.steps.values()):
        return  # a retry of the current one is scheduled
    while execution.undo:
        step = execution.undo[-1]
        unfolding.record(CompensationStarted, step=step)
        compensation = execution.plan.compensations[step]
        if not reach(unfolding, execution.plan.steps[compensation]):
            return
        _account(unfolding, compensation)
    conclude(unfolding)


def _account(unfolding: Unfolding, compensation: str) -> None:
    step, state = unfolding.execution.plan.steps[compensation].compensates, unfolding.execution.steps[compensation]
    if state.status == COMPLETED:
        unfolding.record(CompensationCompleted, step=step)
        return
    skipped = StepError("compensation_skipped", "an operator went on without it", permanent=True)
    unfolding.record(CompensationFailed, step=step, error=skipped if state.status == SKIPPED else state.error)
