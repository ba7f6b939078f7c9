"""The input and the outputs of a process, as written in a definition."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from domain.language.types.parts import ABSENT, FieldName, Part, Prose

MAX_FIELDS = 200

FieldType = Literal["string", "number", "integer", "boolean", "array", "object"]


def _given(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("missing_value", "a value is required, this is empty")
    return value


class InputField(Part):
    """A field of an execution's input.

    Without a type it accepts any value; without an enum any value of its type. Null is a default too: no default is
    ABSENT. sensitive: only admins see its value.
    """

    type: FieldType | None = None
    required: bool = False
    default: Any = Field(default_factory=lambda: ABSENT)
    description: Prose | None = None
    enum: Annotated[tuple[Any, ...] | None, Field(strict=False, min_length=1, max_length=1_000)] = None
    sensitive: bool = False


class OutputDefinition(Part):
    """A named result of an execution; source is a value with templates inside."""

    also: ClassVar[dict[str, str]] = {"value": "source"}

    name: FieldName
    source: Annotated[Any, AfterValidator(_given), WithJsonSchema({"not": {"type": "null"}})]
    description: Prose | None = None


def accept_by_name(schema: JsonSchemaValue) -> None:
    """Let the `outputs` in the JSON Schema of a process, or of a body, be an object too."""
    properties = schema["properties"]
    by_name = {"type": "object", "description": "Each output's source by its name."}
    properties["outputs"] = {"anyOf": [properties["outputs"], by_name]}
