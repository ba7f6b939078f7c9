"""The steps inside a step, in its box on a diagram where it is open."""

from domain.processes.plan import Plan
from queries.definitions import DefinedStep
from web.drawings.boxes import DrawnBody, DrawnFold, DrawnStep
from web.drawings.ranks import DiagramEdge
from web.processes.open_steps import OpenSteps


def drawn_step(
    step: DefinedStep, plan: Plan, opened: OpenSteps, *, note: str | None = None, href: str = "", shade: int = 0
) -> DrawnStep:
    """Return a step of `plan` as a diagram shows it. note: default: its agent, or how many steps it holds."""
    inner = plan.bodies.get(step.id)
    held = "" if inner is None else f"{_counted(step)} inside"
    return DrawnStep(
        id=step.id,
        name=step.name or step.id,
        type=step.type,
        note=step.agent or held if note is None else note,
        href=href,
        shade=shade,
        fold=None if inner is None else fold_of(step, inner, opened),
    )


def fold_of(step: DefinedStep, inner: Plan, opened: OpenSteps) -> DrawnFold:
    """Return the steps inside `step`, drawn where it is open. inner: their plan."""
    held = f"the {_counted(step)} inside {step.name or step.id}"
    href = opened.toggled(inner.body)
    if not opened.shows(inner.body):
        return DrawnFold(body=None, href=href, label=f"Show {held}")
    body = DrawnBody(
        label=f"Diagram of the {_counted(step)} inside {inner.body}",
        steps=tuple(drawn_step(each, inner, opened) for each in step.steps),
        edges=tuple(edges_of(inner)),
    )
    return DrawnFold(body=body, href=href, label=f"Hide {held}")


def edges_of(plan: Plan) -> list[DiagramEdge]:
    """Return the edges between the steps of a plan."""
    return [(source, step.id) for step in plan.steps.values() for source in step.incoming]


def _counted(step: DefinedStep) -> str:
    return f"{len(step.steps)} step{'s' if len(step.steps) > 1 else ''}"
