"""The fallback of a step that fails or takes too long: as written in a definition, and as planned."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.language.types.parts import Part, StepId

# Marks the alternatives of a union in the location of an error; no key of a definition has this form.
WORD, TARGET = "(word)", "(target)"

_ACTIONS = ("fail", "skip", "goto", "fail_process", "skip_step", "goto_step")


class Goto(Part):
    """The fallback of on_timeout: go on at that step."""

    also: ClassVar[dict[str, str]] = {"goto_step": "goto", "target_step": "goto"}

    goto: StepId

    @property
    def target(self) -> str:
        """The id of the step."""
        return self.goto


class GotoStep(Part):
    """The fallback of on_error: go on at that step."""

    also: ClassVar[dict[str, str]] = {"goto": "goto_step", "target_step": "goto_step"}

    goto_step: StepId

    @property
    def target(self) -> str:
        """The id of the step."""
        return self.goto_step


class _Spellings:
    """Adds other accepted spellings to the JSON Schema of a field."""

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
    """A fallback for the engine. action: ``fail``, ``skip`` or ``goto``. target: a step's id; None without goto."""

    action: Literal["fail", "skip", "goto"]
    target: str | None = None


def plan_fallback(written: str | Goto | GotoStep | None) -> Fallback | None:
    """Return the fallback for the engine; None without one."""
    match written:
        case None:
            return None
        case Goto() | GotoStep():
            return Fallback("goto", written.target)
        case "skip" | "skip_step":
            return Fallback("skip")
        case _:
            return Fallback("fail")
