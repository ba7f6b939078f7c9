"""The base of every part of a definition: frozen, strictly typed, with the other spellings of its fields."""

from enum import Enum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, StringConstraints
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.identity import PROCESS_NAME as PROCESS_NAME

STEP_ID = r"^[a-z][a-z0-9_-]{0,63}$"
FIELD_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"

# pydantic's regular expressions take `$` as the end of the text, so no line break passes.
ProcessName = Annotated[str, StringConstraints(pattern=PROCESS_NAME)]
StepId = Annotated[str, StringConstraints(pattern=STEP_ID)]
FieldName = Annotated[str, StringConstraints(pattern=FIELD_NAME)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(max_length=10_000)]
TemplateText = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]
ConditionText = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]


class Absent(Enum):
    """The value of a missing field where null has a meaning."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Part(BaseModel):
    """A piece of a definition. `also` holds other spellings of its fields, each with the canonical one.

    as_written: text fields that may be written as a number, kept to the last digit as written. listed: lists that may
    be written as one entry alone. listed_objects: those of them whose one entry may be an object.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")
    also: ClassVar[dict[str, str]] = {}
    as_written: ClassVar[tuple[str, ...]] = ()
    listed: ClassVar[tuple[str, ...]] = ()
    listed_objects: ClassVar[tuple[str, ...]] = ()

    @property
    def states_none(self) -> frozenset[str]:
        """The fields that are stated to be empty where that is not the same as leaving them out."""
        return frozenset()

    @classmethod
    def written_fields(cls) -> dict[str, FieldInfo]:
        """Return the fields by their keys in a text; a key that Python reserves is the alias of its field."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        properties: dict[str, Any] = schema.get("properties", {})
        for name in cls.as_written:
            properties[name] = {**properties[name], "anyOf": [{"type": "string"}, {"type": "number"}]}
            properties[name].pop("type", None)
        for name in cls.listed:
            if "items" in properties.get(name, {}):
                properties[name] = _one_or_more(properties[name])
        for spelling, canonical in cls.also.items():
            properties[spelling] = {**properties[canonical], "deprecated": True, "description": f"Says `{canonical}`."}
        for canonical in sorted(set(schema.get("required", ())) & set(cls.also.values())):
            spellings = [canonical, *(other for other, name in cls.also.items() if name == canonical)]
            require_one_of(schema, canonical, [[name] for name in spellings])
        return schema


def _one_or_more(several: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a list that may be written as one entry alone."""
    beside: dict[str, Any] = {name: several.pop(name) for name in ("default", "description") if name in several}
    return {"anyOf": [several["items"], several], **beside}


def require_one_of(schema: dict[str, Any], field: str, alternatives: list[list[str]]) -> None:
    """Let other properties satisfy a required field of a JSON Schema, each named by its path."""
    schema["required"] = [name for name in schema["required"] if name != field]
    if not schema["required"]:
        del schema["required"]
    schema.setdefault("allOf", []).append({"anyOf": [requiring(path) for path in alternatives]})


def requiring(path: list[str]) -> dict[str, Any]:
    """Return the JSON Schema of objects that have a value at that path."""
    first, *rest = path
    return {"required": [first], **({"properties": {first: requiring(rest)}} if rest else {})}
