"""Evolution of costs."""

from msgspec.structs import replace

from domain.executions.events.cost import CostRecorded
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution


@evolves(CostRecorded)
def cost_recorded(execution: Execution, event: CostRecorded) -> None:
    """Add a cost to its step, whichever attempt it belongs to."""
    if event.cost is not None:
        step = execution.steps[event.step]
        execution.steps[event.step] = replace(step, costs=(*step.costs, event.cost))
