"""The state of an agent, and how each event changes it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.agents.events import AgentRegistered, AgentRetired
from domain.event import Event

ABSENT, ACTIVE, RETIRED = "absent", "active", "retired"


class Agent(msgspec.Struct, frozen=True):
    """One agent. status: ``absent`` (never registered), ``active`` or ``retired``; version: events folded so far.

    config: with its provider, its rate and its tokens. max_open: how many calls of it all workers together may have
    open at once; None: as many as the rule of shares of each worker allows.
    """

    version: int = 0
    status: str = ABSENT
    name: str = ""
    kind: str = ""
    config: dict[str, Any] = {}
    max_open: int | None = None


def configured(config: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """Return the configuration with the facts that the registration states beside it; None: it does not."""
    stated = {name: value for name, value in beside.items() if value is not None}
    return config | stated if stated else config


def evolve(agent: Agent, event: Event) -> Agent:
    """Return the state after `event` and leave `agent` unchanged. Raises TypeError for an event of another noun."""
    if isinstance(event, AgentRegistered):
        config = configured(event.config, provider=event.provider, rate=event.rate, tokens=event.tokens)
        return Agent(agent.version + 1, ACTIVE, event.name, event.kind, config, event.max_open)
    if isinstance(event, AgentRetired):
        return Agent(agent.version + 1, RETIRED, agent.name, agent.kind, agent.config, agent.max_open)
    raise TypeError(f"{type(event).__name__} does not happen to agents")


def fold(agent: Agent, events: Iterable[Event]) -> Agent:
    """Return the state after all `events`, in order."""
    for event in events:
        agent = evolve(agent, event)
    return agent
