"""Where a process goes on when a step fails or takes too long: as written in a definition, and as planned."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.parts import Part, StepId

# What stands in the place of an error, where the alternatives of a union part; no key of a definition looks so.
WORD, TARGET = "(word)", "(target)"

_ACTIONS = ("fail", "skip", "goto", "fail_process", "skip_step", "goto_step")


class Goto(Part):
    """on_timeout: go on at that step."""

    also: ClassVar[dict[str, str]] = {"goto_step": "goto", "target_step": "goto"}

    goto: StepId

    @property
    def target(self) -> str:
        """The id of the step."""
        return self.goto


class GotoStep(Part):
    """on_error: go on at that step."""

    also: ClassVar[dict[str, str]] = {"goto": "goto_step", "target_step": "goto_step"}

    goto_step: StepId

    @property
    def target(self) -> str:
        """The id of the step."""
        return self.goto_step


class _Spellings:
    """Adds to the JSON Schema of a field the spellings that are read as one of its own."""

    def __init__(self, words: tuple[str, ...], actions: tuple[str, ...]) -> None:
        self._words, self._actions = words, actions

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        action = {"action": {"enum": [*self._actions]}, "target_step": {"type": "string"}}
        others: list[JsonSchemaValue] = [
            {"enum": [*self._words], "deprecated": True},
            {"type": "string", "pattern": "^goto(_step)?\\s*:", "deprecated": True},
            {"type": "object", "required": ["action"], "properties": action, "deprecated": True},
        ]
        return {"anyOf": [*schema["oneOf"], *others]}


def _alternative(value: Any) -> str:
    return TARGET if isinstance(value, dict | Part) else WORD


OnTimeout = Annotated[
    Annotated[Literal["fail", "skip"], Tag(WORD)] | Annotated[Goto, Tag(TARGET)],
    Discriminator(_alternative),
    _Spellings(("fail_process", "skip_step"), _ACTIONS),
]
OnError = Annotated[
    Annotated[Literal["fail_process", "skip_step"], Tag(WORD)] | Annotated[GotoStep, Tag(TARGET)],
    Discriminator(_alternative),
    _Spellings(("fail", "skip"), _ACTIONS),
]


@dataclass(frozen=True, slots=True)
class Fallback:
    """action: ``fail``, ``skip`` or ``goto``. target: the id of the step to go on at; None but for ``goto``."""

    action: Literal["fail", "skip", "goto"]
    target: str | None = None


def plan_fallback(written: str | Goto | GotoStep | None) -> Fallback | None:
    """What was written for the engine; None when nothing was."""
    match written:
        case None:
            return None
        case Goto() | GotoStep():
            return Fallback("goto", written.target)
        case "skip" | "skip_step":
            return Fallback("skip")
        case _:
            return Fallback("fail")
