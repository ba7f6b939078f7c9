"""The engine: what follows necessarily from what just happened, as further events of the same decision."""

from collections import deque
from collections.abc import Iterable

from domain.executions.engine.compensation import undo
from domain.executions.engine.ending import complete
from domain.executions.engine.reaching import arrive
from domain.executions.engine.unfolding import Unfolding
from domain.executions.outcomes import COMPENSATING, RUNNING


def advance(unfolding: Unfolding, ended: Iterable[str]) -> None:
    """Reach what waited only for those that `ended`, as far as that leads, and end the execution when all is done.

    Costs time in proportion to what follows, not to the size of the process or its history.
    """
    execution = unfolding.execution
    if execution.status == COMPENSATING:
        undo(unfolding, ended)
        return
    _go_on(unfolding, ended)
    if execution.open == 0 and execution.status == RUNNING:
        complete(unfolding)
    if execution.status == COMPENSATING:
        undo(unfolding, ())


def _go_on(unfolding: Unfolding, ended: Iterable[str]) -> None:
    execution = unfolding.execution
    steps = execution.plan.steps
    todo = deque(ended)
    while todo and execution.status == RUNNING:
        for dependent in steps[todo.popleft()].dependents:
            if dependent in execution.steps or execution.waiting[dependent]:
                continue  # reached by another of those that ended in this same decision, or waiting for more
            if arrive(unfolding, steps[dependent]):
                todo.append(dependent)
            elif execution.status != RUNNING:
                return
