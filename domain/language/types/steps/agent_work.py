"""The work of an agent, in a step and in a compensation: as written in a definition, and as planned."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from domain.language.expressions import TextTemplate, ValueTemplate, parse_template, parse_value
from domain.language.types.output_schema import OutputSchema, compile_output_schema
from domain.language.types.parts import Line, Part, TemplateText
from domain.language.types.quantities import Duration, MoneyLimit
from domain.language.types.steps.planned import Planned
from domain.money import Money


class AgentWork(Part):
    """Work for an agent. message: a template. parameters: values with templates inside.

    output_schema: a schema of the answer. heartbeat: longest time between heartbeats of an agent that answers later.
    max_cost: of all attempts together.
    """

    templates: ClassVar[tuple[str, ...]] = ("message", "parameters")
    agent_fields: ClassVar[tuple[str, ...]] = ("agent",)

    agent: Line
    message: TemplateText
    parameters: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    heartbeat: Duration | None = None
    max_cost: MoneyLimit | None = None

    def plan(self, planned: Planned) -> "PlannedAgentTask":
        """Return the step for the engine, with everything parsed and compiled."""
        return PlannedAgentTask(
            **planned.common(),
            agent=self.agent,
            message=parse_template(self.message),
            parameters=parse_value(self.parameters),
            schema=None if self.output_schema is None else compile_output_schema(self.output_schema),
            heartbeat=self.heartbeat,
            max_cost=None if self.max_cost is None else self.max_cost.money,
        )


@dataclass(frozen=True, slots=True)
class PlannedAgentTask(Planned):
    """An agent task for the engine. agent: its name. message and parameters are rendered when the step is reached.

    parameters renders to an object. heartbeat and max_cost: None for no limit.
    """

    agent: str
    message: TextTemplate
    parameters: ValueTemplate
    schema: OutputSchema | None
    heartbeat: timedelta | None
    max_cost: Money | None

    @property
    def output_schema(self) -> dict[str, Any] | None:
        """The JSON Schema as written, None when any answer is accepted."""
        return None if self.schema is None else self.schema.document

    def output_problems(self, output: Any) -> list[str]:
        """Return the problems of an answer: at most the first five messages, none when it meets the schema."""
        return [] if self.schema is None else self.schema.problems(output)
