"""The plan: a published definition, compiled once for the engine, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.language.expressions import LARGEST_RESULT, Condition, ValueTemplate, parse_condition, parse_value
from domain.language.types.definition import Defaults, Definition
from domain.language.types.inputs import InputSpec, accept_input, input_spec
from domain.language.types.sensitive import SensitiveFields, sensitive_fields
from domain.language.types.slots import INPUT_ALONE, SlotLimit
from domain.language.types.steps import (
    AnyStep,
    Fallback,
    Planned,
    PlannedAgentTask,
    PlannedApproval,
    PlannedGateway,
    PlannedNotification,
    PlannedRetry,
    PlannedRoute,
    PlannedStep,
    PlannedSubProcess,
    PlannedTimer,
    SubProcess,
    compensation_id,
)
from domain.language.types.steps.compensation import CompensatingNotification, CompensatingTask
from domain.language.types.steps.fallback import plan_fallback
from domain.language.types.triggers import WebhookTrigger

__all__ = [
    "Fallback",
    "InputSpec",
    "Limits",
    "Plan",
    "Planned",
    "PlannedAgentTask",
    "PlannedApproval",
    "PlannedGateway",
    "PlannedNotification",
    "PlannedRetry",
    "PlannedRoute",
    "PlannedStep",
    "PlannedSubProcess",
    "PlannedTimer",
    "accept_input",
    "body_of",
    "compile_plan",
]

Edges = dict[str, tuple[str, ...]]

# The rules of the language that versions published now follow; a version keeps those of its publication for ever.
# 1: as it was. 2: an approval that was refused or has expired has an output, no mistaken expression leaves a step out,
# and an optional input without a value is null.
RULES = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of calls between executions: max_depth below the root, max_descendants per root.

    max_items: of a list that a step goes through. max_result: bytes of JSON that may be rendered for one step, or for
    the outputs of an execution. max_execution: bytes of all events of one execution.
    """

    max_depth: int = 10
    max_descendants: int = 100_000
    max_items: int = 10_000
    max_result: int = LARGEST_RESULT
    max_execution: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A process version ready to run.

    steps: by id, in definition order, followed by compensating steps, which are no part of the graph. roots: ids of the
    steps without incoming edges. waiting: of the others, the number of incoming edges of each. outputs: (name,
    template). webhooks: triggers of that type by id, including those that are switched off. compensations: by the id of
    a step, that of its compensating step. max_running: executions of the process at once, None for no limit; with
    slot_key, of each key. priority: of an execution that waits. rules: see RULES. nulls: the optional input fields that
    read as null where an execution has no value for them. sensitive: the fields that only admins see. body: the path of
    a body, the ids of the steps that hold it joined by ``/``; empty for the process itself. bodies: by its step, the
    plan of each body.
    """

    name: str
    process_id: UUID
    version: int
    steps: dict[str, PlannedStep]
    roots: tuple[str, ...]
    outputs: tuple[tuple[str, ValueTemplate], ...]
    input_spec: InputSpec
    webhooks: Mapping[str, WebhookTrigger] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    compensations: Mapping[str, str] = field(default_factory=dict)
    max_running: int | None = None
    slot_key: ValueTemplate | None = None
    priority: ValueTemplate | int = 0
    limits: Limits = Limits()
    rules: int = RULES
    nulls: Mapping[str, None] = field(default_factory=dict)
    sensitive: SensitiveFields = field(default_factory=SensitiveFields)
    body: str = ""
    bodies: Mapping[str, "Plan"] = field(default_factory=dict)

    def inner(self, body: str) -> "Plan":
        """Return the plan of a body by its path. Raises KeyError for one that is not there."""
        plan = self
        for step in body.split("/") if body else ():
            plan = plan.bodies[step]
        return plan

    @property
    def size(self) -> int:
        """The number of steps, without compensating ones."""
        return len(self.steps) - len(self.compensations)


def compile_plan(
    definition: Definition,
    process_id: UUID,
    version: int,
    limits: Limits = Limits(),
    rules: int = RULES,
    body: str = "",
    sensitive: SensitiveFields | None = None,
) -> Plan:
    """Return the plan of a valid definition (one that `parse_definition` gave without errors, or a published one).

    body: the path of the body that the definition is; empty for a process. sensitive: the fields of the process that
    only admins see; worked out from the definition if it is one.
    """
    incoming, dependents = _edges(definition)
    spec = input_spec(definition, keeps_null=rules >= 2)
    defaults = definition.defaults or Defaults()
    steps: dict[str, PlannedStep] = {}
    for step in definition.steps:
        steps[step.id] = step.plan(_planned(step, defaults, incoming[step.id], dependents[step.id]))
    undoing = {step.id: step.compensation for step in definition.steps if step.compensation is not None}
    for name, compensation in undoing.items():
        steps[compensation_id(name)] = compensation.plan(_undoing(name, compensation, defaults))
    fields = sensitive_fields(definition) if sensitive is None else sensitive
    bodies = {
        step.id: compile_plan(
            body_of(definition, step), process_id, version, limits, rules, _within(body, step.id), fields
        )
        for step in definition.steps
        if isinstance(step, SubProcess) and step.steps is not None
    }
    return Plan(
        name=definition.name,
        process_id=process_id,
        version=version,
        steps=steps,
        roots=tuple(name for name, sources in incoming.items() if not sources),
        outputs=tuple((output.name, parse_value(output.source)) for output in definition.outputs),
        input_spec=spec,
        webhooks={trigger.id: trigger for trigger in definition.triggers if isinstance(trigger, WebhookTrigger)},
        waiting={name: len(sources) for name, sources in incoming.items() if sources},
        compensations={name: compensation_id(name) for name in undoing},
        **_turn(definition),
        limits=limits,
        rules=rules,
        nulls=spec.nulls,
        sensitive=fields.within(body),
        body=body,
        bodies=bodies,
    )


def body_of(definition: Definition, step: SubProcess) -> Definition:
    """Return the steps inside a step as a definition of their own, with the defaults of the one that holds them."""
    return Definition(
        name=definition.name,
        input=step.body_input,
        defaults=definition.defaults,
        steps=step.steps or (),
        outputs=step.outputs,
    )


def _within(body: str, step: str) -> str:
    return f"{body}/{step}" if body else step


def _edges(definition: Definition) -> tuple[Edges, Edges]:
    """Return the predecessors and the successors of each step, each once, however many edges there are."""
    incoming = {step.id: dict.fromkeys(step.depends_on) for step in definition.steps}
    for step in definition.steps:
        for target in step.goes_to():
            incoming[target][step.id] = None
    dependents: dict[str, list[str]] = {step.id: [] for step in definition.steps}
    for name, sources in incoming.items():
        for source in sources:
            dependents[source].append(name)
    return (
        {name: tuple(sources) for name, sources in incoming.items()},
        {name: tuple(targets) for name, targets in dependents.items()},
    )


def _planned(step: AnyStep, defaults: Defaults, incoming: tuple[str, ...], dependents: tuple[str, ...]) -> Planned:
    timeout, retry = step.timeout, step.retry
    if step.takes_defaults:
        timeout, retry = timeout or defaults.timeout, retry or defaults.retry
    return Planned(
        id=step.id,
        type=step.type,
        depends_on=step.depends_on,
        incoming=incoming,
        dependents=dependents,
        condition=_condition(step.condition),
        timeout=timeout,
        total_timeout=step.total_timeout,
        on_timeout=plan_fallback(step.on_timeout),
        retry=None if retry is None else retry.plan(),
        on_error=plan_fallback(step.on_error),
        compensates=None,
    )


def _undoing(step: str, written: CompensatingTask | CompensatingNotification, defaults: Defaults) -> Planned:
    retry = written.retry or defaults.retry
    return Planned(
        id=compensation_id(step),
        type=written.type,
        depends_on=(),
        incoming=(),
        dependents=(),
        condition=None,
        timeout=written.timeout or defaults.timeout,
        total_timeout=written.total_timeout,
        on_timeout=None,
        retry=None if retry is None else retry.plan(),
        on_error=None,
        compensates=step,
    )


def _turn(definition: Definition) -> dict[str, Any]:
    written, priority = definition.max_running, definition.priority
    limit = SlotLimit(limit=written) if isinstance(written, int) else written
    return {
        "max_running": None if limit is None else limit.limit,
        "slot_key": None if limit is None or limit.per is None else parse_value(limit.per, INPUT_ALONE),
        "priority": parse_value(priority, INPUT_ALONE) if isinstance(priority, str) else priority,
    }


def _condition(written: str | bool | None) -> Condition | bool | None:
    return parse_condition(written) if isinstance(written, str) else written
