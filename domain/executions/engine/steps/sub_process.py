"""Sub-process steps: request another execution and, by default, wait for its end; once, or repeatedly."""

from domain.executions.engine.calling import callee_of, child_input, input_of, request
from domain.executions.engine.steps import for_each, repeat
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import StepState
from domain.language.expressions import Scope
from domain.processes.plan import PlannedSubProcess


def begin(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, visible: Scope) -> bool:
    """Evaluate the input of the child, or of the first ones, and request them.

    Raises EvaluationFailed: ``process_unavailable``, ``depth_exceeded``, ``child_input_invalid``, those of a list, or
    the error of the mapping; and AttemptFailed when an item fails at once.
    """
    callee = callee_of(unfolding.execution, step)
    if step.for_each is not None:
        return for_each.begin(unfolding, step, attempt)
    if step.repeat is not None:
        return repeat.begin(unfolding, step, attempt, visible)
    return request(unfolding, step, attempt, child_input(step, callee, visible))


def begin_again(unfolding: Unfolding, step: PlannedSubProcess, before: StepState) -> bool:
    """Request another child with the same input, or go on with the repetition. Raises AttemptFailed."""
    if step.for_each is not None:
        return for_each.resume(unfolding, step, before.attempt + 1)
    if step.repeat is not None:
        return repeat.begin_again(unfolding, step, before)
    return request(unfolding, step, before.attempt + 1, input_of(before))
