"""The limit on the cost of a step."""

from decimal import Decimal

from domain.agents.calls import StepError
from domain.executions.state.model import StepState
from domain.money import add
from domain.processes.plan import PlannedAgentTask, PlannedStep


def too_costly(step: PlannedStep, state: StepState) -> StepError | None:
    """Return the error if the cost of the step so far, over all attempts, exceeds its max_cost."""
    limit = step.max_cost if isinstance(step, PlannedAgentTask) else None
    if limit is None:
        return None
    spent = Decimal(0)
    for cost in state.costs:
        if cost.currency == limit.currency:
            spent = add(spent, cost.amount)
    if spent <= limit.amount:
        return None
    message = f"the step has cost {spent} {limit.currency}, and may cost {limit.amount}"
    return StepError("max_cost_exceeded", message, permanent=True)
