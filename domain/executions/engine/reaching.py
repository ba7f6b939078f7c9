"""Reaching a step: begin it, skip it, or fail it."""

from domain.agents.calls import StepError
from domain.executions.engine.failing import fail_attempt, settle
from domain.executions.engine.places import place_of
from domain.executions.engine.scope import ProcessScope, scope
from domain.executions.engine.steps import begin
from domain.executions.engine.unfolding import AttemptFailed, Unfolding
from domain.executions.events.step import StepFailed, StepSkipped
from domain.executions.state.edges import unreachable
from domain.language.expressions import MISTAKES, Condition, EvaluationFailed, written
from domain.processes.plan import PlannedStep


def arrive(unfolding: Unfolding, step: PlannedStep) -> bool:
    """Reach `step` when every edge to it is decided, or skip it when all are dead. Returns whether it has ended."""
    if unfolding.execution.dead and unreachable(unfolding.execution, step):
        unfolding.record(StepSkipped, step=step.id, reason="branch_not_taken")
        return True
    return reach(unfolding, step)


def reach(unfolding: Unfolding, step: PlannedStep) -> bool:
    """Skip, begin or fail `step`. Returns whether it has ended at once and others may follow."""
    visible = ProcessScope(unfolding.execution, unfolding.budget)
    before = unfolding.execution.steps.get(step.id)
    attempt = 1 if before is None else before.attempt + 1
    place = "condition"
    try:
        condition = step.condition
        runs = condition.evaluate(visible) if isinstance(condition, Condition) else condition is not False
        place = ""
        if runs:
            return begin(unfolding, step, attempt, visible)
    except EvaluationFailed as error:
        # Rendering once more, part by part, would cost what the bound of a result prevents; its error holds the place.
        if not place and error.code in MISTAKES and error.code != "result_too_large":
            place = place_of(step, error, scope(unfolding.execution))
        return _mistaken(unfolding, step, attempt, error, place)
    except AttemptFailed as failed:
        return fail_attempt(unfolding, step, failed.error, skips=failed.error.code not in MISTAKES)
    unfolding.record(StepSkipped, step=step.id, reason="condition_false")
    return True


def _mistaken(unfolding: Unfolding, step: PlannedStep, attempt: int, error: EvaluationFailed, place: str) -> bool:
    """Fail a step that cannot be worked out; a mistake of the definition would hide behind a step that is left out."""
    skips = error.code not in MISTAKES or unfolding.execution.plan.rules < 2
    if not place and error.where:
        place = written(error.where)
    stated = f"{place}: {error.message}" if place else error.message
    message = stated if unfolding.execution.plan.rules >= 2 or error.code == "result_too_large" else error.message
    if not skips and step.on_error is not None and step.on_error.action == "skip":
        message += "; on_error leaves out no step for what cannot be worked out"
    problem = StepError(error.code, message, permanent=True)
    unfolding.record(StepFailed, step=step.id, attempt=attempt, error=problem)
    return settle(unfolding, step, problem, skips=skips)
