"""Agent tasks: schedule an attempt; the deciding worker claims it at once if it may."""

from typing import Any

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.step import StepScheduled, StepStarted
from domain.executions.state.model import StepState
from domain.language.expressions import Scope
from domain.processes.plan import PlannedAgentTask


def begin(unfolding: Unfolding, step: PlannedAgentTask, attempt: int, visible: Scope) -> bool:
    """Render the agent's message and parameters, and schedule the attempt."""
    message, parameters = step.message.render(visible), step.parameters.render(visible)
    before = unfolding.execution.steps.get(step.id) if attempt > 1 else None
    # A reassigned step has an agent of its own.
    agent = step.agent if before is None or not before.agent else before.agent
    return schedule(unfolding, step.id, attempt, agent, message, parameters)


def begin_again(unfolding: Unfolding, step: PlannedAgentTask, before: StepState) -> bool:
    """Schedule another attempt of the same agent with the same input."""
    return schedule(unfolding, step.id, before.attempt + 1, before.agent, before.message, before.parameters)


def schedule(unfolding: Unfolding, step: str, attempt: int, agent: str, message: Any, parameters: Any) -> bool:
    """Schedule an attempt; the deciding worker claims it if it may. Returns False: the step has not ended."""
    unfolding.record(StepScheduled, step=step, attempt=attempt, agent=agent, message=message, parameters=parameters)
    if unfolding.takes(step, agent):
        unfolding.record(StepStarted, step=step, attempt=attempt)
    return False
