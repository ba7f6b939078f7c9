"""The steps inside a step, in its box on a diagram: the parameter `inside` of the page opens and closes them."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import Query
from starlette.requests import Request

from domain.processes.plan import Plan
from queries.definitions import DefinedStep
from web.drawings.boxes import DrawnBody, DrawnFold, DrawnStep
from web.drawings.ranks import DiagramEdge
from web.forms import PageParameters
from web.layout import url_with

LONGEST = 2_000
DIAGRAM = "h-dia"
"""The anchor of the diagram on each page that has one."""


class DrawnParameters(PageParameters):
    """inside: the places of the steps that show what they hold, such as ``revise,visit/pack``; others are left out."""

    inside: Annotated[str, Query(max_length=LONGEST)] = ""


class OpenSteps(msgspec.Struct, frozen=True):
    """The steps that show what they hold, by their places in the version. places: None for all of them.

    address: of the page without the parameter; empty where nothing opens or closes a step.
    """

    places: frozenset[str] | None = None
    address: str = ""

    def shows(self, place: str) -> bool:
        """Return whether the step at `place` is open."""
        return self.places is None or place in self.places

    def toggled(self, place: str) -> str:
        """Return the address of the page with the step at `place` opened, or closed."""
        if not self.address:
            return ""
        others = sorted((self.places or frozenset()) - {place})
        others += [] if self.shows(place) else [place]
        while len(",".join(others)) > LONGEST:
            others.pop(0)
        joint = "&" if "?" in self.address else "?"
        stated = f"{joint}inside={quote(','.join(others), safe='/,')}" if others else ""
        return f"{self.address}{stated}#{DIAGRAM}"


ALL_OPEN = OpenSteps()


def open_steps(request: Request, inside: str) -> OpenSteps:
    """Return the steps that a page shows open. inside: its parameter."""
    places = frozenset(inside.split(",")) if inside else frozenset[str]()
    return OpenSteps(places, url_with(request, {"inside": None, "done": None}))


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
