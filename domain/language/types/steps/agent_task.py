"""The step type `agent_task`: an agent is given a message and answers with any JSON value."""

from typing import Literal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.steps.agent_work import AgentWork, PlannedAgentTask
from domain.language.types.steps.step import Step

__all__ = ["AgentTask", "PlannedAgentTask"]


class AgentTask(AgentWork, Step):
    """The work of the agent, beside the fields of every step."""

    type: Literal["agent_task"]

    @property
    def executor(self) -> str:
        """The agent of the step."""
        return self.agent

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        schema["required"].remove("type")  # a step that names its agent is an agent_task
        schema["required"].remove("agent")  # or `roles.executor`, or that of `defaults`: the root supplies it
        return schema
