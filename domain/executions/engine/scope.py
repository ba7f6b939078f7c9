"""The scope of a process's expressions."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.executions.outcomes import COMPLETED
from domain.executions.state.model import Execution, StepState


def scope(execution: Execution) -> dict[str, Any]:
    """Return the roots of paths: input, steps, execution, process, trigger."""
    trigger = execution.trigger
    return {
        "input": execution.input,
        "steps": StepsView(execution.steps),
        "execution": ExecutionView(execution),
        "process": {"name": execution.plan.name, "version": execution.plan.version},
        "trigger": {"type": trigger.type, "id": trigger.id, "payload": trigger.payload},
    }


class ExecutionView(Mapping[str, str | None]):
    """The execution itself; built lazily, because few expressions use it."""

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def __getitem__(self, member: str) -> str | None:
        if member == "id":
            return str(self._execution.id)
        if member == "started_at":
            started_at = self._execution.started_at
            return started_at.isoformat() if started_at else None
        raise KeyError(member)

    def __iter__(self) -> Iterator[str]:
        return iter(("id", "started_at"))

    def __len__(self) -> int:
        return 2


class StepsView(Mapping[str, dict[str, Any]]):
    """The steps that were reached, by id; each is built only when an expression reads it."""

    __slots__ = ("_steps",)

    def __init__(self, steps: dict[str, StepState]) -> None:
        self._steps = steps

    def __getitem__(self, step: str) -> dict[str, Any]:
        return _shape(self._steps[step])

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def _shape(step: StepState) -> dict[str, Any]:
    shaped: dict[str, Any] = {
        "status": step.status,
        "error": None,
        "started_at": step.started_at.isoformat() if step.started_at else None,
        "completed_at": step.ended_at.isoformat() if step.ended_at else None,
        "duration": None,
        "cost": None,
    }
    if step.status == COMPLETED:
        shaped["output"] = step.output
    if step.error is not None:
        shaped["error"] = {"code": step.error.code, "message": step.error.message}
    if step.started_at and step.ended_at:
        shaped["duration"] = (step.ended_at - step.started_at).total_seconds()
    if step.costs and len({cost.currency for cost in step.costs}) == 1:
        shaped["cost"] = sum((cost.amount for cost in step.costs[1:]), step.costs[0].amount)
    return shaped
