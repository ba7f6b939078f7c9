"""The fields of every step, of any type, as written in a definition."""

from typing import Annotated, ClassVar

from pydantic import Field, WithJsonSchema

from domain.language.types.parts import ConditionText, Line, Part, StepId
from domain.language.types.quantities import Duration
from domain.language.types.steps.compensation import CompensatingTask, Compensation
from domain.language.types.steps.fallback import Goto, GotoStep, OnError, OnTimeout
from domain.language.types.steps.retry import Retry

MAX_AGENTS = 100

_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

_AGENT = {"type": "string", "minLength": 1, "maxLength": 200}
_ONE_OR_MORE_AGENTS = {"anyOf": [_AGENT, {"type": "array", "items": _AGENT, "maxItems": MAX_AGENTS}]}

StepIds = Annotated[tuple[StepId, ...], Field(strict=False), WithJsonSchema(_ONE_OR_MORE)]
AgentNames = Annotated[
    tuple[Line, ...], Field(strict=False, max_length=MAX_AGENTS), WithJsonSchema(_ONE_OR_MORE_AGENTS)
]


class Roles(Part):
    """The agents that monitor a step and those informed of it; the executor is the step's own field."""

    listed: ClassVar[tuple[str, ...]] = ("monitors", "informed")

    executor: Line | None = None
    monitors: AgentNames = ()
    informed: AgentNames = ()

    @property
    def states_none(self) -> frozenset[str]:
        """The lists that are stated to be empty: they take nothing from the defaults."""
        return frozenset(name for name in self.listed if name in self.model_fields_set and not getattr(self, name))

    def agents(self) -> set[str]:
        """Return every agent that has a role."""
        return {*self.monitors, *self.informed} | ({self.executor} if self.executor else set())


class Step(Part):
    """The fields common to all steps.

    templates: fields whose texts, however deep, are templates. agent_fields: fields that name one agent each.
    takes_defaults: whether the timeout and the retry policy of the definition's `defaults` apply to it. inside: fields
    that may be written inside another one, by the key of that one.
    """

    templates: ClassVar[tuple[str, ...]] = ()
    agent_fields: ClassVar[tuple[str, ...]] = ()
    takes_defaults: ClassVar[bool] = True
    inside: ClassVar[str | None] = None

    id: StepId
    name: Line | None = None
    type: str
    depends_on: StepIds = ()
    condition: ConditionText | bool | None = None
    timeout: Duration | None = None
    total_timeout: Duration | None = None
    on_timeout: OnTimeout | None = None
    retry: Retry | None = None
    on_error: OnError | None = None
    compensation: Compensation | None = None
    roles: Roles = Roles()

    def agents(self) -> set[str]:
        """Return every agent that the step names, in any role; the agent of its compensation is separate."""
        named = (getattr(self, field) for field in self.agent_fields)
        return {name for name in named if name} | self.roles.agents()

    def undone_by(self) -> set[str]:
        """Return the agent of the step's compensation, if there is one."""
        return {self.compensation.agent} if isinstance(self.compensation, CompensatingTask) else set()

    @property
    def executor(self) -> str | None:
        """The executor, None without one."""
        return self.roles.executor

    def goes_to(self) -> tuple[str, ...]:
        """Return the ids of the steps that this one may lead to without their depending on it."""
        return tuple(goto.target for goto in (self.on_error, self.on_timeout) if isinstance(goto, Goto | GotoStep))
