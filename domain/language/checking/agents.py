"""The agents that a definition names, each with its location, and their problems."""

from collections.abc import Iterator
from collections.abc import Mapping as Fields

from domain.language.parsed import AgentUse, Parsed
from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.spelling.bodies import all_steps
from domain.language.spelling.compensations import compensation_of
from domain.refusal import Problem
from domain.words import did_you_mean

TEAM = "team:"
"""Begins the name of a monitor that is a team of people, and no agent."""


def agents_in(root: Mapping) -> Iterator[AgentUse]:
    """Return every agent that the defaults and the steps of a canonical tree name."""
    defaults = root.entries.get("defaults")
    given = _roles(defaults).get("executor")
    yield from _uses_in(_roles(defaults), given)
    for step in all_steps(root):
        roles, agent = _roles(step), step.entries.get("agent")
        if agent is not given:  # an agent of the defaults was reported above
            yield from _uses(agent, "executor")
        yield from _uses_in(roles, roles.get("executor"))
        compensation = compensation_of(step)
        if compensation is not None:
            yield from _uses(compensation.entries.get("agent"), "executor")


def agent_problems(parsed: Parsed, known: Fields[str, str], severity: str = "error") -> list[Problem]:
    """Return a problem for each agent that is not registered, or retired; `known` holds each agent's status by name.

    severity: for executors (``warning`` for a draft, ``error`` to publish). Monitors and informed agents always give a
    warning, because the step can run without them.
    """
    active = [name for name, status in known.items() if status != "retired"]
    problems: list[Problem] = []
    for use in parsed.agents:
        if use.role == "monitor" and use.name.startswith(TEAM):
            continue
        status = known.get(use.name)
        if status is not None and status != "retired":
            continue
        code = "unknown_agent" if status is None else "retired_agent"
        message = f"there is no agent `{use.name}`" if status is None else f"the agent `{use.name}` is retired"
        hint = did_you_mean(use.name, active) if len(problems) < 100 else ""
        weight = severity if use.role == "executor" else "warning"
        otherwise = "register it first" if status is None else "register it again, or name another one"
        problems.append(Problem(code, message, use.path, use.line, use.column, hint or otherwise, weight))
    return problems


def _roles(part: Node | None) -> dict[str, Node]:
    roles = part.entries.get("roles") if isinstance(part, Mapping) else None
    return roles.entries if isinstance(roles, Mapping) else {}


def _uses_in(roles: dict[str, Node], executor: Node | None) -> Iterator[AgentUse]:
    yield from _uses(executor, "executor")
    yield from _uses(roles.get("monitors"), "monitor")
    yield from _uses(roles.get("informed"), "informed")


def _uses(node: Node | None, role: str) -> Iterator[AgentUse]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        name = text_of(item)
        if item is not None and name:
            yield AgentUse(name, role, item.path, item.line, item.column)
