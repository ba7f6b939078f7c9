"""Evolution of costs."""

from msgspec.structs import replace

from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution
from domain.money import Money, add


@evolves(CostRecorded)
def cost_recorded(execution: Execution, event: CostRecorded) -> None:
    """Add a cost to its step, whichever attempt it belongs to."""
    if event.usage_id:
        execution.usage_ids[event.usage_id] = event.attempt
    if event.cost is not None:
        _add(execution, event.step, event.cost)


@evolves(CostCorrected)
def cost_corrected(execution: Execution, event: CostCorrected) -> None:
    """Add the difference to the step of the cost."""
    for cost in differences(event.before, event.after):
        _add(execution, event.step, cost)


def differences(before: Money | None, after: Money | None) -> list[Money]:
    """Return the amounts that a correction adds: one, or one a currency if it changes that."""
    taken = [] if before is None else [Money(before.amount.copy_negate(), before.currency)]
    given = [] if after is None else [after]
    if taken and given and taken[0].currency == given[0].currency:
        return [Money(add(given[0].amount, taken[0].amount), given[0].currency)]
    return taken + given


def _add(execution: Execution, step: str, cost: Money) -> None:
    state = execution.steps[step]
    execution.steps[step] = replace(state, costs=(*state.costs, cost))
