"""Edges beside depends_on: the routes of gateways, on_error and on_timeout; never backwards."""

from collections.abc import Iterator
from collections.abc import Mapping as Fields
from dataclasses import dataclass

from domain.language.checking.routes import PARALLEL, gateway_type, routes_of
from domain.language.reading.nodes import Mapping, Node, text_of
from domain.language.reading.problems import Problems
from domain.words import did_you_mean

_AGAIN = "a step that failed is tried again by `retry`; a `sub_process` with `repeat` does its `steps` again"


@dataclass(frozen=True, slots=True)
class Lead:
    """An edge from the step at position `source` to the one at `target`; `node` is its location in the text."""

    source: int
    target: int
    node: Node


def targets_of(step: Mapping) -> Iterator[Node]:
    """Return the nodes at which a canonical step names a target."""
    for field, key in (("on_error", "goto_step"), ("on_timeout", "goto")):
        goto = step.entries.get(field)
        if isinstance(goto, Mapping) and key in goto.entries:
            yield goto.entries[key]
    for route in routes_of(step):
        if "target" in route.entries:
            yield route.entries["target"]
    kind = gateway_type(step)
    if kind is not None and kind != PARALLEL and "default_route" in step.entries:
        yield step.entries["default_route"]


def known_leads(steps: list[Node], ids: Fields[str, int], problems: Problems) -> list[Lead]:
    """Return every edge to a known step; note those to unknown steps, and from a step to itself."""
    leads: list[Lead] = []
    for at, step in enumerate(steps):
        for node in targets_of(step) if isinstance(step, Mapping) else ():
            name = text_of(node)
            if name is None:
                continue
            if name not in ids:
                hint = "" if problems.full() else did_you_mean(name, ids)
                problems.add("unknown_step", f"there is no step `{name[:60]}` to go on at", node, hint=hint)
            elif ids[name] == at:
                hint = _AGAIN
                problems.add("goes_to_itself", f"`{name}` cannot lead to itself", node, hint=hint)
            else:
                leads.append(Lead(at, ids[name], node))
    return leads


def refuse_backwards(steps: list[Node], leads: list[Lead], ancestors: dict[int, int], problems: Problems) -> None:
    """Note the edges that lead backwards, in order; `ancestors` grows by the valid ones."""
    for lead in leads:
        if ancestors[lead.source] >> lead.target & 1:
            name = text_of(lead.node)
            message = f"`{name}` comes before this step, and a process does not go backwards"
            problems.add("goes_backwards", message, lead.node, hint=_AGAIN)
            continue
        before = ancestors[lead.source] | 1 << lead.source
        if ancestors[lead.target] | before == ancestors[lead.target]:
            continue
        for at in range(len(steps)):
            if at == lead.target or ancestors[at] >> lead.target & 1:
                ancestors[at] |= before
