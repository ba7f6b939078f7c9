"""Sub-process steps: request another execution and, by default, wait for its end."""

from typing import Any
from uuid import UUID

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.step import StepCompleted
from domain.executions.state.model import Execution, StepState
from domain.identity import child_id
from domain.language.expressions import EvaluationFailed, Scope
from domain.processes.plan import PlannedSubProcess, accept_input
from domain.refusal import Malformed

LONGEST = 2_000  # characters: an input may have as many problems as members


def begin(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, visible: Scope) -> bool:
    """Evaluate the child's input and request the child.

    Raises EvaluationFailed: ``process_unavailable``, ``depth_exceeded``, ``child_input_invalid``, or the error of the
    mapping.
    """
    execution = unfolding.execution
    callee = execution.callees.get(step.id)
    if callee is None:
        message = f"the process {step.process!r} could not be called when this execution started"
        raise EvaluationFailed("process_unavailable", message)
    deepest = execution.plan.limits.max_depth
    if (0 if execution.parent is None else execution.parent.depth) >= deepest:
        raise EvaluationFailed("depth_exceeded", f"processes call one another at most {deepest} deep")
    try:
        mapped: Any = step.input.render(visible)
        input = accept_input(callee.input_spec.bare, mapped)
    except Malformed as refused:
        messages = "; ".join(problem.message for problem in refused.problems) or str(refused)
        raise EvaluationFailed("child_input_invalid", f"the input of {step.process!r}: {messages[:LONGEST]}") from None
    return _request(unfolding, step, attempt, input)


def begin_again(unfolding: Unfolding, step: PlannedSubProcess, before: StepState) -> bool:
    """Request another child with the same input."""
    return _request(unfolding, step, before.attempt + 1, before.message)


def _request(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, input: dict[str, Any]) -> bool:
    execution = unfolding.execution
    parent = execution.parent
    path = [*([] if parent is None else parent.path), execution.id]
    child = child_id(execution.id, step.id, attempt)
    unfolding.record(
        SubProcessStarted,
        step=step.id,
        attempt=attempt,
        child=child,
        process_id=step.process_id,
        process=step.process,
        version=execution.callees[step.id].version,
        input=input,
        root=execution.id if parent is None else parent.root,
        depth=len(path),
        path=path,
        wait=step.wait,
        holds=_holds(execution) if step.wait else [],
    )
    if step.wait:
        return False
    started_at, output = unfolding.cause.at, {"execution_id": str(child)}
    unfolding.record(StepCompleted, step=step.id, attempt=attempt, output=output, started_at=started_at)
    return True


def _holds(execution: Execution) -> list[UUID]:
    """Return the processes of which this execution, or one that waits for it, holds a concurrency slot."""
    plan, parent = execution.plan, execution.parent
    held = [] if parent is None else parent.holds
    return held if plan.max_running is None or plan.process_id in held else [*held, plan.process_id]
