"""The scope of a process's expressions."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from typing import Any

from domain.executions.events.outcomes import COMPLETED
from domain.executions.state.model import Approval, Execution, StepState
from domain.executions.state.repetition import results_of, with_items
from domain.executions.verdicts import decided_output
from domain.language.expressions import ROOTS, Budget, Scope
from domain.money import add
from domain.processes.plan import PlannedSubProcess

GiveBudget = Callable[[], Budget]


def scope(execution: Execution, whole: GiveBudget | None = None, most: int | None = None) -> "ProcessScope":
    """Return the roots of paths: input, steps, execution, process, trigger. whole: returns the decision's budget.

    most: bytes of JSON that may be rendered, where it is not the bound of a result.
    """
    return ProcessScope(execution, whole, most)


class NamedScope(Mapping[str, Any]):
    """A scope with more names, such as an item, a round or its result."""

    __slots__ = ("_names", "_scope")

    def __init__(self, scope: Scope, names: Mapping[str, Any]) -> None:
        self._scope = scope
        self._names = names

    def __getitem__(self, root: str) -> Any:
        return self._names[root] if root in self._names else self._scope[root]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._scope, *self._names))

    def __len__(self) -> int:
        return len(self._scope) + len(self._names)


class ProcessScope(Mapping[str, Any]):
    """The roots of paths; each is built only when an expression reads it, because constant texts read none."""

    __slots__ = ("_execution", "_most", "_view", "_whole")

    def __init__(self, execution: Execution, whole: GiveBudget | None = None, most: int | None = None) -> None:
        self._execution = execution
        self._whole = whole
        self._most = most
        self._view: ExecutionView | None = None

    def __getitem__(self, root: str) -> Any:
        execution = self._execution
        if root == "steps":
            return StepsView(execution)
        if root == "input":
            nulls = execution.plan.nulls
            return {**nulls, **execution.input} if nulls else execution.input
        if root == "execution":
            if self._view is None:
                self._view = ExecutionView(execution, self._whole, self._most)
            return self._view
        if root == "process":
            return {"name": execution.plan.name, "version": execution.plan.version}
        if root == "trigger":
            trigger = execution.trigger
            at = None if trigger.scheduled_at is None else trigger.scheduled_at.isoformat()
            return {"type": trigger.type, "id": trigger.id, "payload": trigger.payload, "scheduled_at": at}
        raise KeyError(root)

    def __iter__(self) -> Iterator[str]:
        return iter(ROOTS)

    def __len__(self) -> int:
        return len(ROOTS)


class ExecutionView(Mapping[str, str | None]):
    """The execution itself; built lazily, because few expressions use it."""

    __slots__ = ("_budget", "_execution", "_most", "_whole")

    def __init__(self, execution: Execution, whole: GiveBudget | None = None, most: int | None = None) -> None:
        self._execution = execution
        self._whole = whole
        self._most = execution.plan.limits.max_result if most is None else most
        self._budget: Budget | None = None

    @property
    def budget(self) -> Budget:
        """The budget that all rendering in this scope shares."""
        if self._budget is None:
            self._budget = Budget(self._most, self._whole and self._whole())
        return self._budget

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

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def __getitem__(self, step: str) -> dict[str, Any]:
        state = self._execution.steps[step]
        shaped = _shape(state)
        if "output" in shaped and step in self._execution.repetitions:
            shaped["output"] = with_items(shaped["output"], partial(self._results, step))
        if state.status != COMPLETED and self._execution.approvals and self._execution.plan.rules >= 2:
            decision = _decision(self._execution.approvals.get(f"{step}:{state.attempt}"))
            if decision is not None:
                shaped["output"] = decision
        return shaped

    def _results(self, step: str) -> list[Any]:
        planned = self._execution.plan.steps[step]
        assert isinstance(planned, PlannedSubProcess)
        assert planned.for_each is not None
        return results_of(self._execution.repetitions[step], collects=planned.for_each.on_error == "collect")

    def __iter__(self) -> Iterator[str]:
        return iter(self._execution.steps)

    def __len__(self) -> int:
        return len(self._execution.steps)


def _decision(approval: Approval | None) -> dict[str, Any] | None:
    """Return the output of an approval that was not granted, in the words of the commands; None before a decision."""
    if approval is None or approval.status == "granted":
        return None
    return decided_output(approval.status, approval.by, approval.comment)


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
        shaped["cost"] = reduce(add, (cost.amount for cost in step.costs))
    return shaped
