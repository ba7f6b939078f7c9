"""What the engine runs: a published definition, compiled once, never changed."""

from dataclasses import dataclass
from uuid import UUID

from domain.expressions import Condition, ValueTemplate, parse_condition, parse_value
from domain.processes.definition import Definition
from domain.processes.inputs import InputSpec, accept_input, input_spec
from domain.processes.steps import Planned, PlannedStep

__all__ = ["InputSpec", "Plan", "PlannedStep", "accept_input", "compile_plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A process version ready to run.

    steps: by id, in definition order. roots: ids of the steps that wait for nothing. outputs: (name, template).
    """

    name: str
    process_id: UUID
    version: int
    steps: dict[str, PlannedStep]
    roots: tuple[str, ...]
    outputs: tuple[tuple[str, ValueTemplate], ...]
    input_spec: InputSpec


def compile_plan(definition: Definition, process_id: UUID, version: int) -> Plan:
    """The plan of a valid definition (one that `parse_definition` gave without errors, or a published one)."""
    dependents: dict[str, list[str]] = {step.id: [] for step in definition.steps}
    for step in definition.steps:
        for needed in step.depends_on:
            dependents[needed].append(step.id)
    steps: dict[str, PlannedStep] = {}
    for step in definition.steps:
        common = Planned(step.id, step.type, step.depends_on, tuple(dependents[step.id]), _condition(step.condition))
        steps[step.id] = step.plan(common)
    return Plan(
        name=definition.name,
        process_id=process_id,
        version=version,
        steps=steps,
        roots=tuple(step.id for step in definition.steps if not step.depends_on),
        outputs=tuple((output.name, parse_value(output.source)) for output in definition.outputs),
        input_spec=input_spec(definition),
    )


def _condition(written: str | bool | None) -> Condition | bool | None:
    return parse_condition(written) if isinstance(written, str) else written
