"""The step types: one file each, and a row each in this registry."""

from typing import Annotated, TypeAlias

from pydantic import Field

from domain.processes.steps.agent_task import AgentTask, PlannedAgentTask
from domain.processes.steps.approval import HumanApproval, PlannedApproval
from domain.processes.steps.compensation import Compensation, compensation_id
from domain.processes.steps.fallback import Fallback
from domain.processes.steps.gateway import Gateway, PlannedGateway, PlannedRoute
from domain.processes.steps.notification import Notification, PlannedNotification
from domain.processes.steps.planned import Planned
from domain.processes.steps.retry import PlannedRetry, Retry
from domain.processes.steps.step import Roles, Step
from domain.processes.steps.sub_process import PlannedSubProcess, SubProcess
from domain.processes.steps.timer import PlannedTimer, Timer

# Wherever the types have to be told apart, the type checker names what is missing.
AnyStep: TypeAlias = Annotated[
    AgentTask | HumanApproval | Timer | Gateway | SubProcess | Notification, Field(discriminator="type")
]
PlannedStep: TypeAlias = (
    PlannedAgentTask | PlannedApproval | PlannedTimer | PlannedGateway | PlannedSubProcess | PlannedNotification
)

STEP_TYPES: dict[
    str,
    type[AgentTask] | type[HumanApproval] | type[Timer] | type[Gateway] | type[SubProcess] | type[Notification],
] = {
    "agent_task": AgentTask,
    "gateway": Gateway,
    "human_approval": HumanApproval,
    "notification": Notification,
    "sub_process": SubProcess,
    "timer": Timer,
}

__all__ = [
    "STEP_TYPES",
    "AgentTask",
    "AnyStep",
    "Compensation",
    "Fallback",
    "Gateway",
    "HumanApproval",
    "Notification",
    "Planned",
    "PlannedAgentTask",
    "PlannedApproval",
    "PlannedGateway",
    "PlannedNotification",
    "PlannedRetry",
    "PlannedRoute",
    "PlannedStep",
    "PlannedSubProcess",
    "PlannedTimer",
    "Retry",
    "Roles",
    "Step",
    "SubProcess",
    "Timer",
    "compensation_id",
]
