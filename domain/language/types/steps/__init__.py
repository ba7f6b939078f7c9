"""The step types: one file each, and a row each in this registry."""

from typing import Annotated, TypeAlias

from pydantic import Field

from domain.language.types.steps.agent_task import AgentTask, PlannedAgentTask
from domain.language.types.steps.approval import HumanApproval, PlannedApproval
from domain.language.types.steps.compensation import Compensation, compensation_id
from domain.language.types.steps.fallback import Fallback
from domain.language.types.steps.gateway import Gateway, PlannedGateway, PlannedRoute
from domain.language.types.steps.notification import Notification, PlannedNotification
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.repetition import ForEach, PlannedForEach, PlannedRepeat, Repeat
from domain.language.types.steps.retry import PlannedRetry, Retry
from domain.language.types.steps.step import Roles, Step
from domain.language.types.steps.sub_process import PlannedSubProcess, SubProcess
from domain.language.types.steps.timer import PlannedTimer, Timer

# The type checker names each place that must handle a new step type.
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

# A body holds steps of all types, its own type among them.
SubProcess.model_rebuild(_types_namespace={"AnyStep": AnyStep})

__all__ = [
    "STEP_TYPES",
    "AgentTask",
    "AnyStep",
    "Compensation",
    "Fallback",
    "ForEach",
    "Gateway",
    "HumanApproval",
    "Notification",
    "Planned",
    "PlannedAgentTask",
    "PlannedApproval",
    "PlannedForEach",
    "PlannedGateway",
    "PlannedNotification",
    "PlannedRepeat",
    "PlannedRetry",
    "PlannedRoute",
    "PlannedStep",
    "PlannedSubProcess",
    "PlannedTimer",
    "Repeat",
    "Retry",
    "Roles",
    "Step",
    "SubProcess",
    "Timer",
    "compensation_id",
]
