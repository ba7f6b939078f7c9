"""Requests of other executions by the steps of one."""

from typing import Any
from uuid import UUID

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import ItemStarted, SubProcessStarted
from domain.executions.events.step import StepCompleted
from domain.executions.state.model import Execution, StepState
from domain.identity import child_id
from domain.language.expressions import EvaluationFailed, Scope
from domain.processes.plan import Plan, PlannedSubProcess, accept_input
from domain.refusal import Malformed

LONGEST = 2_000  # characters: an input may have as many problems as members


def callee_of(execution: Execution, step: PlannedSubProcess) -> Plan:
    """Return the plan that the step runs. Raises EvaluationFailed: ``process_unavailable``, ``depth_exceeded``."""
    callee = execution.callees.get(step.id)
    if callee is None:
        message = f"the process {step.process!r} could not be called when this execution started"
        raise EvaluationFailed("process_unavailable", message)
    deepest = execution.plan.limits.max_depth
    if (0 if execution.parent is None else execution.parent.depth) >= deepest:
        raise EvaluationFailed("depth_exceeded", f"processes call one another at most {deepest} deep")
    return callee


def child_input(step: PlannedSubProcess, callee: Plan, visible: Scope) -> dict[str, Any]:
    """Return the complete input of a child. Raises EvaluationFailed, ``child_input_invalid`` or of the mapping."""
    return accepted(step, callee, step.input.render(visible))


def accepted(step: PlannedSubProcess, callee: Plan, given: Any) -> dict[str, Any]:
    """Return `given` with the defaults of the callee. Raises EvaluationFailed: ``child_input_invalid``."""
    try:
        return accept_input(callee.input_spec.bare, given)
    except Malformed as refused:
        messages = "; ".join(problem.message for problem in refused.problems) or str(refused)
        message = f"the input of {step.callee}: {messages[:LONGEST]}"
        raise EvaluationFailed("child_input_invalid", message) from None


def input_of(before: StepState) -> dict[str, Any]:
    """Return the input of the latest child of a step."""
    given: dict[str, Any] = before.message
    return given


def request(
    unfolding: Unfolding,
    step: PlannedSubProcess,
    attempt: int,
    input: dict[str, Any],
    *,
    round: int | None = None,
    goes_on: bool = False,
) -> bool:
    """Request a child; return whether the step has ended, because it does not wait for it."""
    execution = unfolding.execution
    child = child_id(execution.id, step.id if round is None else f"{step.id}#{round}", attempt)
    facts = _facts(unfolding, step, attempt, input)
    unfolding.record(SubProcessStarted, child=child, wait=step.wait, round=round, goes_on=goes_on, **facts)
    if step.wait:
        return False
    started_at, output = unfolding.cause.at, {"execution_id": str(child)}
    unfolding.record(StepCompleted, step=step.id, attempt=attempt, output=output, started_at=started_at)
    return True


def request_item(
    unfolding: Unfolding, step: PlannedSubProcess, attempt: int, input: dict[str, Any], item: int, key: str
) -> None:
    """Request the child of an item. Ids of steps hold no brackets, so no other child has its id."""
    child = child_id(unfolding.execution.id, f"{step.id}[{item}]", attempt)
    unfolding.record(ItemStarted, child=child, item=item, key=key, **_facts(unfolding, step, attempt, input))


def _facts(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, input: dict[str, Any]) -> dict[str, Any]:
    execution = unfolding.execution
    callee, parent = execution.callees[step.id], execution.parent
    path = [*([] if parent is None else parent.path), execution.id]
    return {
        "step": step.id,
        "attempt": attempt,
        "process_id": step.process_id or callee.process_id,
        "process": step.process or callee.name,
        "version": callee.version,
        "input": input,
        "root": execution.id if parent is None else parent.root,
        "depth": len(path),
        "path": path,
        "holds": _holds(execution) if step.wait else [],
        "body": callee.body,
    }


def _holds(execution: Execution) -> list[UUID]:
    """Return the processes of which this execution, or one that waits for it, holds a concurrency slot."""
    plan, parent = execution.plan, execution.parent
    held = [] if parent is None else parent.holds
    return held if plan.max_running is None or plan.process_id in held else [*held, plan.process_id]
