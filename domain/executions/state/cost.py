"""How recorded costs change the state of an execution."""

from msgspec.structs import replace

from domain.executions.events.cost import CostRecorded
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution


@evolves(CostRecorded)
def cost_recorded(execution: Execution, event: CostRecorded) -> None:
    """The step cost something, whichever attempt it was."""
    if event.cost is not None:
        step = execution.steps[event.step]
        execution.steps[event.step] = replace(step, costs=(*step.costs, event.cost))
