"""What every step has, whatever its type: as written in a definition, and as planned for the engine."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, WithJsonSchema

from domain.expressions import Condition
from domain.processes.parts import ConditionText, Line, Part, StepId

MAX_AGENTS = 100

_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

StepIds = Annotated[tuple[StepId, ...], Field(strict=False), WithJsonSchema(_ONE_OR_MORE)]
Agents = Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_AGENTS)]


class Roles(Part):
    """Who watches a step and who is told of it; whoever executes it is the step's own field."""

    executor: Line | None = None
    monitors: Agents = ()
    informed: Agents = ()


class Step(Part):
    """The fields common to all steps.

    templates: fields whose texts, however deep, are templates. agent_fields: fields that name one agent each.
    """

    templates: ClassVar[tuple[str, ...]] = ()
    agent_fields: ClassVar[tuple[str, ...]] = ()

    id: StepId
    name: Line | None = None
    type: str
    depends_on: StepIds = ()
    condition: ConditionText | bool | None = None
    roles: Roles = Roles()

    def agents(self) -> set[str]:
        """Every agent the step names, in whatever role."""
        named = (getattr(self, field) for field in self.agent_fields)
        return {*(name for name in named if name), *self.roles.monitors, *self.roles.informed}


@dataclass(frozen=True, slots=True)
class Planned:
    """A step ready to run. depends_on and dependents are step ids in definition order; condition None means always."""

    id: str
    type: str
    depends_on: tuple[str, ...]
    dependents: tuple[str, ...]
    condition: Condition | bool | None
