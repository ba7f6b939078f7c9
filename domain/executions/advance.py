"""The engine: what follows necessarily from what just happened, as further events of the same decision."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from domain.agents.calls import StepError
from domain.executions.events import (
    ExecutionCompleted,
    ExecutionFailed,
    StepCancelled,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
)
from domain.executions.execution import RUNNING, UNDER_WAY
from domain.executions.scope import scope
from domain.executions.unfolding import Unfolding
from domain.expressions import Condition, EvaluationFailed
from domain.processes.plan import PlannedStep


def advance(unfolding: Unfolding, ended: Iterable[str]) -> None:
    """Reach every step that waited only for those `ended`, as far as that leads, and end the execution when all is.

    Costs time in proportion to what follows, not to the size of the process or its history.
    """
    execution = unfolding.execution
    plan = execution.plan
    todo = deque(ended)
    while todo and execution.status == RUNNING:
        for dependent in plan.steps[todo.popleft()].dependents:
            reached = dependent in execution.steps  # by another of those that ended in this same decision
            if not reached and execution.waiting[dependent] == 0 and reach(unfolding, plan.steps[dependent]):
                todo.append(dependent)
    if execution.open == 0 and execution.status == RUNNING:
        _complete(unfolding)


def reach(unfolding: Unfolding, step: PlannedStep) -> bool:
    """Everything `step` depends on has ended: skip, schedule or fail it. True when it ended at once without failing."""
    visible = scope(unfolding.execution)
    try:
        condition = step.condition
        runs = condition.evaluate(visible) if isinstance(condition, Condition) else condition is not False
        if runs:
            message, parameters = step.message.render(visible), step.parameters.render(visible)
    except EvaluationFailed as error:
        problem = StepError(error.code, error.message, permanent=True)
        unfolding.record(StepFailed, step=step.id, attempt=1, error=problem)
        fail(unfolding, problem, step.id)
        return False
    if not runs:
        unfolding.record(StepSkipped, step=step.id, reason="condition_false")
        return True
    _schedule(unfolding, step, message, parameters)
    return False


def _schedule(unfolding: Unfolding, step: PlannedStep, message: Any, parameters: Any) -> None:
    unfolding.record(StepScheduled, step=step.id, attempt=1, agent=step.agent, message=message, parameters=parameters)
    if unfolding.take > 0:
        unfolding.take -= 1
        unfolding.taken.append(step.id)
        unfolding.record(StepStarted, step=step.id, attempt=1)


def fail(unfolding: Unfolding, error: StepError, step: str | None) -> None:
    """The execution fails; what is still under way is given up."""
    give_up(unfolding, "execution_failed")
    unfolding.record(ExecutionFailed, error=error, step=step, **ending(unfolding))


def give_up(unfolding: Unfolding, reason: str) -> None:
    """Cancel every attempt that is scheduled or under way."""
    for id, step in list(unfolding.execution.steps.items()):
        if step.status in UNDER_WAY:
            unfolding.record(StepCancelled, step=id, attempt=step.attempt, reason=reason, started_at=step.started_at)
    unfolding.taken.clear()


def ending(unfolding: Unfolding) -> dict[str, Any]:
    """The facts of ExecutionEnded."""
    plan = unfolding.execution.plan
    return {"process_id": plan.process_id, "version": plan.version, "started_at": unfolding.execution.started_at}


def _complete(unfolding: Unfolding) -> None:
    visible = scope(unfolding.execution)
    outputs: dict[str, Any] = {}
    for name, template in unfolding.execution.plan.outputs:
        try:
            outputs[name] = template.render(visible)
        except EvaluationFailed as error:
            problem = StepError(error.code, f"output {name!r}: {error.message}", permanent=True)
            unfolding.record(ExecutionFailed, error=problem, **ending(unfolding))
            return
    unfolding.record(ExecutionCompleted, outputs=outputs, **ending(unfolding))
