"""The step type `sub_process`: another process, or steps written inside it, runs as a part of this one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.identity import process_id
from domain.language.expressions import ROOTS, ValueTemplate, parse_value
from domain.language.types.parts import FieldName, ProcessName
from domain.language.types.signature import MAX_FIELDS, InputField, OutputDefinition, accept_by_name
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.repetition import ForEach, PlannedForEach, PlannedRepeat, Repeat
from domain.language.types.steps.step import Step

if TYPE_CHECKING:
    from domain.language.types.steps import AnyStep

MAX_VERSION = 2_147_483_647

OnParentClose = Literal["cancel", "abandon"]


class SubProcess(Step):
    """A call of another process, or of steps written here. Exactly one of process and steps is there.

    process: its name. version: a published one; None: the latest when the parent starts. steps, input, outputs: of an
    unnamed process that belongs to this version, its body. input_mapping: the child's input, values with templates
    inside. for_each, repeat: at most one of them. output_key: the field of the step's output for the child's outputs;
    None: they are the output. wait: wait until the child has ended. on_parent_close: the effect on the child if the
    step ends before it.
    """

    also: ClassVar[dict[str, str]] = {"process_name": "process", "wait_for_completion": "wait"}
    templates: ClassVar[tuple[str, ...]] = ("input_mapping",)

    type: Literal["sub_process"]
    process: ProcessName | None = None
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] | None = None
    input_mapping: dict[str, Any] = Field(default_factory=dict)
    for_each: ForEach | None = None
    repeat: Repeat | None = None
    output_key: FieldName | None = None
    wait: bool = True
    on_parent_close: OnParentClose = "cancel"
    input: Annotated[dict[FieldName, InputField], Field(max_length=MAX_FIELDS)] | None = None
    steps: Annotated[tuple["AnyStep", ...], Field(strict=False, min_length=1)] | None = None
    outputs: Annotated[tuple[OutputDefinition, ...], Field(strict=False, max_length=MAX_FIELDS)] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        accept_by_name(schema)
        body = {"required": ["steps"], **_without("version", "process", "process_name")}
        named = [{"required": [name], **_without("steps", "input", "outputs")} for name in ("process", "process_name")]
        one_repetition = {"not": {"required": ["for_each", "repeat"]}}
        schema.setdefault("allOf", []).extend([{"oneOf": [body, *named]}, one_repetition])
        return schema

    @property
    def states_none(self) -> frozenset[str]:
        """The `input_mapping` of a for_each, if it is stated to be empty: the body is given no item then."""
        stated = self.for_each is not None and "input_mapping" in self.model_fields_set and not self.input_mapping
        return frozenset(("input_mapping",)) if stated else frozenset()

    @property
    def mapping(self) -> dict[str, Any]:
        """The child's input as written: without an input_mapping, the item of a for_each is the body's only field."""
        if self.for_each is None or "input_mapping" in self.model_fields_set:
            return self.input_mapping
        return {self.for_each.as_: f"{{{{ {self.for_each.as_} }}}}"}

    @property
    def body_input(self) -> dict[str, InputField]:
        """The input of the body: as declared, or else the fields that the step gives it, of any type."""
        if self.input is not None:
            return self.input
        carried = () if self.repeat is None else self.repeat.carry
        return {name: InputField() for name in (*self.mapping, *carried)}

    def plan(self, planned: Planned) -> "PlannedSubProcess":
        """Return the step for the engine, with everything parsed."""
        return PlannedSubProcess(
            **planned.common(),
            process=self.process,
            process_id=None if self.process is None else process_id(self.process),
            version=self.version,
            input=parse_value(self.mapping, ROOTS if self.for_each is None else self.for_each.roots),
            for_each=None if self.for_each is None else self.for_each.plan(),
            repeat=None if self.repeat is None else self.repeat.plan(),
            output_key=self.output_key,
            wait=self.wait,
            on_parent_close=self.on_parent_close,
        )


def _without(*fields: str) -> dict[str, Any]:
    return {"not": {"anyOf": [{"required": [name]} for name in fields]}}


@dataclass(frozen=True, slots=True)
class PlannedSubProcess(Planned):
    """A call for the engine. process, process_id: None for a body, whose plan is among those of the calling plan.

    version: None for the pinned one. input: rendered when a child begins, to an object.
    """

    process: str | None
    process_id: UUID | None
    version: int | None
    input: ValueTemplate
    for_each: PlannedForEach | None
    repeat: PlannedRepeat | None
    output_key: str | None
    wait: bool
    on_parent_close: OnParentClose

    @property
    def callee(self) -> str:
        """The process that runs, as messages name it."""
        return f"the steps of {self.id!r}" if self.process is None else repr(self.process)
