"""The step types: one file each, and a row each in this registry."""

from typing import TypeAlias

from domain.processes.steps.agent_task import AgentTask, PlannedAgentTask
from domain.processes.steps.step import Planned, Roles, Step

# With a second type these become unions (the first one discriminated by `type`), and the type checker then names
# every place that has to tell them apart.
AnyStep: TypeAlias = AgentTask
PlannedStep: TypeAlias = PlannedAgentTask

STEP_TYPES: dict[str, type[AnyStep]] = {"agent_task": AgentTask}

__all__ = ["STEP_TYPES", "AgentTask", "AnyStep", "Planned", "PlannedAgentTask", "PlannedStep", "Roles", "Step"]
