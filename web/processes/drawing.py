"""A version of a process as a diagram, drawn once."""

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

import msgspec
from markupsafe import Markup

from domain.language import definition_document, parse_definition
from domain.language.types.definition import Definition
from domain.processes.plan import Plan, compile_plan
from queries.definitions import DefinedStep
from queries.executions import Definitions
from queries.processes import ProcessDetail
from queries.reading import Reading
from web.drawings.diagram import DrawnStep, diagram
from web.drawings.ranks import DiagramEdge
from web.processes.shades import ShadedSteps

_INSIDE = Markup('<details class="pad"><summary class="s">The steps inside {}</summary>{}</details>')
NO_NOTES: Mapping[str, str] = MappingProxyType({})
NO_SHADES: Mapping[str, int] = MappingProxyType({})


def drawing_of_process(
    reading: Reading,
    definitions: Definitions,
    found: ProcessDetail,
    *,
    draft: bool = False,
    shaded: ShadedSteps | None = None,
) -> Markup | None:
    """Return the diagram of the latest version, or of the draft without one; None while its text has errors.

    draft: of the draft, if there is one. shaded: the colours of a version.
    """
    if found.version is not None and not (draft and found.draft is not None):
        shaded = shaded or ShadedSteps()
        return drawing_of_version(
            reading, definitions, found.process_id, found.version, found.name, shaded.notes, shaded.shades
        )
    return None if found.draft is None else drawing_of_text(found.process_id, found.draft.yaml, found.name)


def drawing_of_version(
    reading: Reading,
    definitions: Definitions,
    process_id: UUID,
    version: int,
    name: str,
    notes: Mapping[str, str] = NO_NOTES,
    shades: Mapping[str, int] = NO_SHADES,
) -> Markup:
    """Return the diagram of a published version. notes: short texts on steps. shades: of steps. Raises NotFound."""
    steps, edges = definitions.shape(reading, process_id, version)
    drawn = [(step.id, step.name or step.id, step.type) for step in steps]
    notes = notes or _notes(steps)
    picture = _drawn(drawn, edges, f"Diagram of {name} version {version} with {len(drawn)} steps", notes, shades=shades)
    plan = definitions.plan(reading, process_id, version) if any(step.steps for step in steps) else None
    return picture if plan is None else picture + _insides(plan, steps)


def drawing_of_text(process_id: UUID, source: str, name: str, notes: Mapping[str, str] = NO_NOTES) -> Markup | None:
    """Return the diagram of a draft; None while its text has errors."""
    definition = parse_definition(source).definition
    return None if definition is None else drawing_of_definition(process_id, definition, name, notes)


def drawing_of_definition(
    process_id: UUID, definition: Definition, name: str, notes: Mapping[str, str] = NO_NOTES, *, linked: bool = False
) -> Markup:
    """Return the diagram of a definition. linked: each step is a link to ``#step-ID``."""
    plan = compile_plan(definition, process_id, 0)
    steps = msgspec.convert(definition_document(definition)["steps"], list[DefinedStep])
    drawn = [(step.id, step.name or step.id, step.type) for step in steps]
    notes = notes or _notes(steps)
    label = f"Diagram of the draft of {name} with {len(drawn)} steps"
    return _drawn(drawn, _edges(plan), label, notes, linked) + _insides(plan, steps)


def _insides(plan: Plan, steps: Sequence[DefinedStep]) -> Markup:
    """Return the diagram of each body, folded, below that of the steps that hold them."""
    found = []
    for step in steps:
        if step.id in plan.bodies:
            inner = plan.bodies[step.id]
            drawn = [(each.id, each.name or each.id, each.type) for each in step.steps]
            label = f"Diagram of the {len(drawn)} steps inside {inner.body}"
            picture = _drawn(drawn, _edges(inner), label, _notes(step.steps))
            found.append(_INSIDE.format(step.name or step.id, picture + _insides(inner, step.steps)))
    return Markup("").join(found)


def _notes(steps: Sequence[DefinedStep]) -> dict[str, str]:
    """Return the agent of each step, or how many steps it holds."""
    inside = {step.id: f"{len(step.steps)} step{'s' if len(step.steps) > 1 else ''} inside" for step in steps}
    return {step.id: step.agent or inside[step.id] for step in steps if step.agent or step.steps}


def _edges(plan: Plan) -> list[DiagramEdge]:
    return [(source, step.id) for step in plan.steps.values() for source in step.incoming]


def _drawn(
    steps: Sequence[tuple[str, str, str]],
    edges: Sequence[DiagramEdge],
    label: str,
    notes: Mapping[str, str],
    linked: bool = False,
    shades: Mapping[str, int] = NO_SHADES,
) -> Markup:
    known = {id for id, _, _ in steps}
    lines = tuple(edge for edge in edges if edge[0] in known and edge[1] in known)
    return _kept(tuple((*step, notes.get(step[0], ""), shades.get(step[0], 0)) for step in steps), lines, label, linked)


@functools.lru_cache(maxsize=64)
def _kept(
    steps: tuple[tuple[str, str, str, str, int], ...], edges: tuple[DiagramEdge, ...], label: str, linked: bool
) -> Markup:
    drawn = [
        DrawnStep(id=id, name=name, type=type, note=note, href=f"#step-{id}" if linked else "", shade=shade)
        for id, name, type, note, shade in steps
    ]
    return diagram(drawn, edges, label)
