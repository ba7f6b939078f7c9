"""The compensation of a completed step, for an execution that fails or is cancelled later."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.parts import Part
from domain.language.types.quantities import Duration
from domain.language.types.steps.agent_work import AgentWork
from domain.language.types.steps.delivery import Delivery
from domain.language.types.steps.retry import Retry


class Compensating(Part):
    """Timeout and retry of a compensation; the definition's `defaults` hold for it too.

    templates: fields whose texts, however deep, are templates.
    """

    templates: ClassVar[tuple[str, ...]] = ()

    type: str
    timeout: Duration | None = None
    total_timeout: Duration | None = None
    retry: Retry | None = None


class CompensatingTask(AgentWork, Compensating):
    """An agent compensates the step."""

    type: Literal["agent_task"]

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        schema["required"].remove("type")  # a compensation with an agent is an agent_task
        return schema


class CompensatingNotification(Delivery, Compensating):
    """A notification requests people to compensate the step."""

    type: Literal["notification"]


COMPENSATION_TYPES: dict[str, type[CompensatingTask] | type[CompensatingNotification]] = {
    "agent_task": CompensatingTask,
    "notification": CompensatingNotification,
}
Compensation = Annotated[CompensatingTask | CompensatingNotification, Field(discriminator="type")]


def compensation_id(step: str) -> str:
    """Return the id of the planned compensation of `step`; no step of a definition can have this id."""
    return f"{step}.compensation"
