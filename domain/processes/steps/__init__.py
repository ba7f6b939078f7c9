"""The step types: one file each, and a row each in this registry."""

from typing import Annotated, TypeAlias

from pydantic import Field

from domain.processes.steps.agent_task import AgentTask, PlannedAgentTask
from domain.processes.steps.approval import HumanApproval, PlannedApproval
from domain.processes.steps.fallback import Fallback
from domain.processes.steps.gateway import Gateway, PlannedGateway, PlannedRoute
from domain.processes.steps.retry import PlannedRetry, Retry
from domain.processes.steps.step import Planned, Roles, Step
from domain.processes.steps.timer import PlannedTimer, Timer

# Wherever the types have to be told apart, the type checker names what is missing.
AnyStep: TypeAlias = Annotated[AgentTask | HumanApproval | Timer | Gateway, Field(discriminator="type")]
PlannedStep: TypeAlias = PlannedAgentTask | PlannedApproval | PlannedTimer | PlannedGateway

STEP_TYPES: dict[str, type[AgentTask] | type[HumanApproval] | type[Timer] | type[Gateway]] = {
    "agent_task": AgentTask,
    "gateway": Gateway,
    "human_approval": HumanApproval,
    "timer": Timer,
}

__all__ = [
    "STEP_TYPES",
    "AgentTask",
    "AnyStep",
    "Fallback",
    "Gateway",
    "HumanApproval",
    "Planned",
    "PlannedAgentTask",
    "PlannedApproval",
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
