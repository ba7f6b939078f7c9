"""The step types: one file each, and a row each in this registry."""

from typing import Annotated, TypeAlias

from pydantic import Field

from domain.processes.steps.agent_task import AgentTask, PlannedAgentTask
from domain.processes.steps.fallback import Fallback
from domain.processes.steps.gateway import Gateway, PlannedGateway, PlannedRoute
from domain.processes.steps.retry import PlannedRetry, Retry
from domain.processes.steps.step import Planned, Roles, Step
from domain.processes.steps.timer import PlannedTimer, Timer

# Wherever the types have to be told apart, the type checker names what is missing.
AnyStep: TypeAlias = Annotated[AgentTask | Timer | Gateway, Field(discriminator="type")]
PlannedStep: TypeAlias = PlannedAgentTask | PlannedTimer | PlannedGateway

STEP_TYPES: dict[str, type[AgentTask] | type[Timer] | type[Gateway]] = {
    "agent_task": AgentTask,
    "gateway": Gateway,
    "timer": Timer,
}

__all__ = [
    "STEP_TYPES",
    "AgentTask",
    "AnyStep",
    "Fallback",
    "Gateway",
    "Planned",
    "PlannedAgentTask",
    "PlannedGateway",
    "PlannedRetry",
    "PlannedRoute",
    "PlannedStep",
    "PlannedTimer",
    "Retry",
    "Roles",
    "Step",
    "Timer",
]
