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
from web.drawings.boxes import DrawnStep
from web.drawings.diagram import diagram
from web.drawings.ranks import DiagramEdge
from web.processes.bodies import drawn_step, edges_of
from web.processes.open_steps import ALL_OPEN, OpenSteps
from web.processes.shades import ShadedSteps

NO_NOTES: Mapping[str, str] = MappingProxyType({})
NO_SHADES: Mapping[str, int] = MappingProxyType({})


def drawing_of_process(
    reading: Reading,
    definitions: Definitions,
    found: ProcessDetail,
    *,
    draft: bool = False,
    shaded: ShadedSteps | None = None,
    opened: OpenSteps = ALL_OPEN,
) -> Markup | None:
    """Return the diagram of the latest version, or of the draft without one; None while its text has errors.

    draft: of the draft, if there is one. shaded: the colours of a version.
    """
    if found.version is not None and not (draft and found.draft is not None):
        shaded = shaded or ShadedSteps()
        at = found.process_id, found.version, found.name
        return drawing_of_version(reading, definitions, *at, shaded.notes, shaded.shades, opened)
    return (
        None if found.draft is None else drawing_of_text(found.process_id, found.draft.yaml, found.name, opened=opened)
    )


def drawing_of_version(
    reading: Reading,
    definitions: Definitions,
    process_id: UUID,
    version: int,
    name: str,
    notes: Mapping[str, str] = NO_NOTES,
    shades: Mapping[str, int] = NO_SHADES,
    opened: OpenSteps = ALL_OPEN,
) -> Markup:
    """Return the diagram of a published version. notes: short texts on steps. shades: of steps. Raises NotFound."""
    plan, steps = definitions.shape(reading, process_id, version)
    label = f"Diagram of {name} version {version} with {len(steps)} steps"
    return _drawn(steps, plan, label, opened, notes, shades=shades)


def drawing_of_text(
    process_id: UUID, source: str, name: str, notes: Mapping[str, str] = NO_NOTES, opened: OpenSteps = ALL_OPEN
) -> Markup | None:
    """Return the diagram of a draft; None while its text has errors."""
    definition = parse_definition(source).definition
    if definition is None:
        return None
    return drawing_of_definition(process_id, definition, name, notes, opened=opened)


def drawing_of_definition(
    process_id: UUID,
    definition: Definition,
    name: str,
    notes: Mapping[str, str] = NO_NOTES,
    *,
    linked: bool = False,
    opened: OpenSteps = ALL_OPEN,
) -> Markup:
    """Return the diagram of a definition. linked: each step is a link to ``#step-ID``."""
    plan = compile_plan(definition, process_id, 0)
    steps = msgspec.convert(definition_document(definition)["steps"], list[DefinedStep])
    return _drawn(steps, plan, f"Diagram of the draft of {name} with {len(steps)} steps", opened, notes, linked=linked)


def _drawn(
    steps: Sequence[DefinedStep],
    plan: Plan,
    label: str,
    opened: OpenSteps,
    notes: Mapping[str, str],
    *,
    linked: bool = False,
    shades: Mapping[str, int] = NO_SHADES,
) -> Markup:
    known = {step.id for step in steps}
    edges = tuple(edge for edge in edges_of(plan) if edge[0] in known and edge[1] in known)
    drawn = tuple(
        drawn_step(
            step,
            plan,
            opened,
            note=notes.get(step.id, "") if notes else None,
            href=f"#step-{step.id}" if linked else "",
            shade=shades.get(step.id, 0),
        )
        for step in steps
    )
    return _kept(drawn, edges, label)


@functools.lru_cache(maxsize=64)
def _kept(steps: tuple[DrawnStep, ...], edges: tuple[DiagramEdge, ...], label: str) -> Markup:
    return diagram(steps, edges, label)
