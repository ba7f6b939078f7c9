"""The engine's loop: reach the steps that follow, until the execution waits or ends."""

from collections import deque
from collections.abc import Iterable

from domain.executions.engine.compensation import undo
from domain.executions.engine.ending import complete
from domain.executions.engine.reaching import arrive
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.outcomes import COMPENSATING, RUNNING


def advance(unfolding: Unfolding, ended: Iterable[str]) -> None:
    """Reach the steps that waited only for the `ended` ones, repeatedly; end the execution after its last step.

    Takes time in proportion to the steps reached, not to the size of the process or its history.
    """
    execution = unfolding.execution
    if execution.status == COMPENSATING:
        undo(unfolding, ended)
        return
    _reach_dependents(unfolding, ended)
    if execution.open == 0 and execution.status == RUNNING:
        complete(unfolding)
    if execution.status == COMPENSATING:
        undo(unfolding, ())


def _reach_dependents(unfolding: Unfolding, ended: Iterable[str]) -> None:
    execution = unfolding.execution
    steps = execution.plan.steps
    todo = deque(ended)
    while todo and execution.status == RUNNING:
        for dependent in steps[todo.popleft()].dependents:
            if dependent in execution.steps or execution.waiting[dependent]:
                continue  # another step that ended in this same decision reached it, or it waits for more
            if arrive(unfolding, steps[dependent]):
                todo.append(dependent)
            elif execution.status != RUNNING:
                return
