"""The edges between steps: each is decided once its first step has ended, and then leads to the second or is dead.

A step whose edges are all decided is reached when at least one leads to it, and skipped when all are dead.
"""

from collections.abc import Collection, Iterable

from domain.executions.state.model import Execution
from domain.processes.plan import PlannedGateway, PlannedStep


def decide_edges(execution: Execution, step: str, chosen: Collection[str] | None) -> None:
    """Decide the edges of `step`, which has ended: live to its dependents; of optional ones, only to those `chosen`."""
    planned = execution.plan.steps[step]
    execution.open -= 1
    waiting = execution.waiting
    for dependent in planned.dependents:
        waiting[dependent] -= 1
    if planned.on_error is not None or planned.on_timeout is not None or isinstance(planned, PlannedGateway):
        _mark_dead(execution, optional(execution, planned).difference(chosen or ()))


def decide_edges_dead(execution: Execution, step: str) -> None:
    """Mark the edges of `step`, which has ended, as dead, as far as is known."""
    execution.open -= 1
    dependents = execution.plan.steps[step].dependents
    for dependent in dependents:
        execution.waiting[dependent] -= 1
    _mark_dead(execution, dependents)


def revive_edges(execution: Execution, step: str, *, only: str | None = None) -> None:
    """Make the dead edges of `step` live again, all but optional ones, or `only` the edge to the step of that id."""
    planned = execution.plan.steps[step]
    _unmark_dead(execution, set(planned.dependents) - optional(execution, planned) if only is None else (only,))


def reopen_edges(execution: Execution, step: str) -> None:
    """Make the dead edges of `step` undecided again; it has not ended."""
    execution.open += 1
    dependents = execution.plan.steps[step].dependents
    for dependent in dependents:
        execution.waiting[dependent] += 1
    _unmark_dead(execution, dependents)


def ready(execution: Execution, step: PlannedStep) -> bool:
    """Return whether every edge that leads to `step` is decided."""
    return execution.waiting.get(step.id, 0) == 0


def unreachable(execution: Execution, step: PlannedStep) -> bool:
    """Return whether every edge that leads to `step` is dead."""
    return execution.dead.get(step.id) == len(step.incoming)


def optional(execution: Execution, step: PlannedStep) -> set[str]:
    """Return the dependents of `step` to which its success alone does not lead: targets of a gateway, and of errors.

    A step that itself depends on `step` follows from its success, even where errors lead to it too.
    """
    found: set[str] = set()
    if isinstance(step, PlannedGateway):
        found.update(route.target for route in step.routes)
        if step.default is not None:
            found.add(step.default)
    for fallback in (step.on_error, step.on_timeout):
        target = None if fallback is None else fallback.target
        if target is not None and step.id not in execution.plan.steps[target].depends_on:
            found.add(target)
    return found


def _mark_dead(execution: Execution, dependents: Iterable[str]) -> None:
    dead = execution.dead
    for dependent in dependents:
        dead[dependent] = dead.get(dependent, 0) + 1


def _unmark_dead(execution: Execution, dependents: Iterable[str]) -> None:
    dead = execution.dead
    for dependent in dependents:
        if dead[dependent] == 1:
            del dead[dependent]
        else:
            dead[dependent] -= 1
