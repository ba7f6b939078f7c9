"""The turn of executions: how many of a process run at once, for each key, and which of those that wait come first."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.parts import Part, TemplateText
from domain.language.types.steps.fallback import TARGET, WORD

MAX_RUNNING = 1_000_000
LONGEST_KEY = 200  # characters
HIGHEST_PRIORITY = 100
OF_EXPRESSION = r"\{\{"
INPUT_ALONE = ("input",)
"""The only name that `per` and an expression of `priority` may begin with: nothing else is there before a start."""


class SlotLimit(Part):
    """A limit of executions at once. per: the key of an execution, by its input; each key has the limit for itself."""

    limit: Annotated[int, Field(ge=1, le=MAX_RUNNING)]
    per: Annotated[TemplateText, Field(json_schema_extra={"pattern": OF_EXPRESSION})] | None = None


class _AnyOf:
    """Writes the alternatives of a field in the JSON Schema, without what distinguishes them here."""

    def __init__(self, pattern: str = "") -> None:
        self._pattern = pattern

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        alternatives: list[dict[str, Any]] = handler(core_schema)["oneOf"]
        if self._pattern:
            texts = (
                {**each, "pattern": self._pattern} if each.get("type") == "string" else each for each in alternatives
            )
            alternatives = list(texts)
        return {"anyOf": alternatives}


def _is_object(value: Any) -> str:
    return TARGET if isinstance(value, dict | Part) else WORD


def _is_expression(value: Any) -> str:
    return TARGET if isinstance(value, str) and "{{" in value else WORD


MaxRunning = Annotated[
    Annotated[int, Field(ge=1, le=MAX_RUNNING), Tag(WORD)] | Annotated[SlotLimit, Tag(TARGET)],
    Discriminator(_is_object),
    _AnyOf(),
]
Priority = Annotated[
    Annotated[int, Field(ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY), Tag(WORD)] | Annotated[TemplateText, Tag(TARGET)],
    Discriminator(_is_expression),
    _AnyOf(OF_EXPRESSION),
]
