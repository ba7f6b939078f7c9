"""A process definition: the root of the language's types, and the parts that are not steps."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.costs import Costs
from domain.language.types.parts import FieldName, Line, Part, ProcessName, Prose, requiring
from domain.language.types.quantities import Duration
from domain.language.types.signature import MAX_FIELDS, FieldType, InputField, OutputDefinition, accept_by_name
from domain.language.types.slots import MAX_RUNNING, MaxRunning, Priority
from domain.language.types.steps import STEP_TYPES, AnyStep, Retry, Roles, SubProcess
from domain.language.types.triggers import AnyTrigger

MAX_STEPS = 1_000
MAX_LABELS = 50
MAX_TRIGGERS = 50
_EACH_BY = "StepsWithExecutors"

__all__ = [
    "MAX_FIELDS",
    "MAX_LABELS",
    "MAX_RUNNING",
    "MAX_STEPS",
    "MAX_TRIGGERS",
    "Defaults",
    "Definition",
    "FieldType",
    "InputField",
    "OutputDefinition",
]


class Defaults(Part):
    """Defaults of every step that does not set the field itself; roles one by one."""

    timeout: Duration | None = None
    retry: Retry | None = None
    roles: Roles = Roles()


class Definition(Part):
    """A whole process, as its designer wrote it; version is a label of theirs, not the published version.

    max_running: greatest number of executions at once, of each key; further ones wait. priority: of an execution among
    those that wait. strict: every unknown key is an error.
    """

    as_written: ClassVar[tuple[str, ...]] = ("version",)
    listed: ClassVar[tuple[str, ...]] = ("labels", "triggers")
    listed_objects: ClassVar[tuple[str, ...]] = ("triggers",)

    name: ProcessName
    description: Prose | None = None
    labels: Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_LABELS)] = ()
    owner: Line | None = None
    version: Line | None = None
    input: Annotated[dict[FieldName, InputField], Field(max_length=MAX_FIELDS)] | None = None
    defaults: Defaults | None = None
    max_running: MaxRunning | None = None
    priority: Priority = 0
    strict: bool = False
    costs: Costs | None = None
    triggers: Annotated[tuple[AnyTrigger, ...], Field(strict=False, max_length=MAX_TRIGGERS)] = ()
    steps: Annotated[tuple[AnyStep, ...], Field(strict=False, min_length=1, max_length=MAX_STEPS)]
    outputs: Annotated[tuple[OutputDefinition, ...], Field(strict=False, max_length=MAX_FIELDS)] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        accept_by_name(schema)
        return schema

    @property
    def all_steps(self) -> Iterator[AnyStep]:
        """Every step, each before those of its body."""
        return _with_bodies(self.steps)

    @property
    def agents_used(self) -> tuple[str, ...]:
        """The names of all agents that the steps, those of bodies too, and the defaults name, in any role, sorted."""
        named = {agent for step in self.all_steps for agent in (*step.agents(), *step.undone_by())}
        return tuple(sorted(named if self.defaults is None else named | self.defaults.roles.agents()))

    def roles_of(self, step: AnyStep) -> Roles:
        """Return the step's roles with the defaults for missing ones; a default never gives an agent a second role.

        An empty list is none, whatever the defaults are.
        """
        given = self.defaults.roles if self.defaults is not None else Roles()
        taken, stated = step.agents(), step.roles.model_fields_set
        return Roles(
            executor=step.executor,
            monitors=step.roles.monitors
            if "monitors" in stated
            else tuple(name for name in given.monitors if name not in taken),
            informed=step.roles.informed
            if "informed" in stated
            else tuple(name for name in given.informed if name not in taken),
        )


def _with_bodies(steps: tuple[AnyStep, ...]) -> Iterator[AnyStep]:
    for step in steps:
        yield step
        if isinstance(step, SubProcess) and step.steps is not None:
            yield from _with_bodies(step.steps)


def require_executors(schema: dict[str, Any]) -> None:
    """Add to the JSON Schema of the language: each step, of a body too, names its executor or is of a type without."""
    others = [name for name, kind in STEP_TYPES.items() if "agent" not in kind.agent_fields]
    other = {"required": ["type"], "properties": {"type": {"enum": others}}}
    by_whom = {"anyOf": [requiring(["agent"]), requiring(["roles", "executor"]), other]}
    each = {"$ref": f"#/$defs/{_EACH_BY}"}
    schema["$defs"][_EACH_BY] = {"properties": {"steps": {"items": {"allOf": [by_whom, each]}}}}
    schema.setdefault("allOf", []).append({"anyOf": [requiring(["defaults", "roles", "executor"]), each]})
