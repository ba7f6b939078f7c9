"""The step type `sub_process`: another process runs as a part of this one."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.identity import process_id
from domain.language.expressions import ValueTemplate, parse_value
from domain.language.types.parts import FieldName, ProcessName
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.step import Step

MAX_VERSION = 2_147_483_647

OnParentClose = Literal["cancel", "abandon"]


class SubProcess(Step):
    """A call of another process. process: its name. version: a published one; None: the latest when the parent starts.

    input_mapping: the child's input, values with templates inside. output_key: the field of the step's output for the
    child's outputs; None: they are the output. wait: wait until the child has ended. on_parent_close: the effect on the
    child if the step ends before it.
    """

    also: ClassVar[dict[str, str]] = {"process_name": "process", "wait_for_completion": "wait"}
    templates: ClassVar[tuple[str, ...]] = ("input_mapping",)

    type: Literal["sub_process"]
    process: ProcessName
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] | None = None
    input_mapping: dict[str, Any] = Field(default_factory=dict)
    output_key: FieldName | None = None
    wait: bool = True
    on_parent_close: OnParentClose = "cancel"

    def plan(self, planned: Planned) -> "PlannedSubProcess":
        """Return the step for the engine, with everything parsed."""
        return PlannedSubProcess(
            **planned.common(),
            process=self.process,
            process_id=process_id(self.process),
            version=self.version,
            input=parse_value(self.input_mapping),
            output_key=self.output_key,
            wait=self.wait,
            on_parent_close=self.on_parent_close,
        )


@dataclass(frozen=True, slots=True)
class PlannedSubProcess(Planned):
    """A call for the engine. input is rendered when the step is reached, to an object.

    version: None for the pinned one.
    """

    process: str
    process_id: UUID
    version: int | None
    input: ValueTemplate
    output_key: str | None
    wait: bool
    on_parent_close: OnParentClose
