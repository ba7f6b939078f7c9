"""A process definition: the root of the language's types, and the parts that are not steps."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from domain.processes.parts import ABSENT, FieldName, Line, Part, ProcessName, Prose
from domain.processes.steps import AnyStep

MAX_STEPS = 1_000
MAX_LABELS = 50
MAX_FIELDS = 200
MAX_TRIGGERS = 50

FieldType = Literal["string", "number", "integer", "boolean", "array", "object"]


def _given(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("missing_value", "a value is required, this is empty")
    return value


class InputField(Part):
    """What one field of an execution's input may be.

    Without a type it takes any; without an enum any value of its type. Null is a default too: no default is ABSENT.
    """

    type: FieldType | None = None
    required: bool = False
    default: Any = Field(default_factory=lambda: ABSENT)
    description: Prose | None = None
    enum: Annotated[tuple[Any, ...] | None, Field(strict=False, min_length=1, max_length=1_000)] = None


class Trigger(Part):
    """What may start an execution; `input` is merged under what the caller gives."""

    type: Literal["manual"]
    id: FieldName
    enabled: bool = True
    input: dict[str, Any] = Field(default_factory=dict)


class Output(Part):
    """A named result of an execution; source is a value with templates inside."""

    also: ClassVar[dict[str, str]] = {"value": "source"}

    name: FieldName
    source: Annotated[Any, AfterValidator(_given)]
    description: Prose | None = None


class Definition(Part):
    """A whole process, as its designer wrote it; version is a label of theirs, not the published version."""

    name: ProcessName
    description: Prose | None = None
    labels: Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_LABELS)] = ()
    owner: Line | None = None
    version: Line | None = None
    input: Annotated[dict[FieldName, InputField], Field(max_length=MAX_FIELDS)] | None = None
    triggers: Annotated[tuple[Trigger, ...], Field(strict=False, max_length=MAX_TRIGGERS)] = ()
    steps: Annotated[tuple[AnyStep, ...], Field(strict=False, min_length=1, max_length=MAX_STEPS)]
    outputs: Annotated[tuple[Output, ...], Field(strict=False, max_length=MAX_FIELDS)] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        properties = schema["properties"]
        properties["version"] = {"type": ["string", "number"], "description": "A free label."}
        by_name = {"type": "object", "description": "Each output's source by its name."}
        properties["outputs"] = {"anyOf": [properties["outputs"], by_name]}
        return schema

    @property
    def agents_used(self) -> tuple[str, ...]:
        """The names of all agents that the steps name, in whatever role, sorted."""
        return tuple(sorted({agent for step in self.steps for agent in step.agents()}))
