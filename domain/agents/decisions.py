"""Decisions about an agent's entry: pure functions of state, command and cause."""

from typing import Any

from domain.agents.agent import ABSENT, ACTIVE, RETIRED, Agent
from domain.agents.events import AgentRegistered, AgentRetired
from domain.event import Cause, Event, record
from domain.refusal import AgentNotFound


def register_agent(agent: Agent, name: str, config: dict[str, Any], cause: Cause) -> list[Event]:
    """Register `name`, or replace its configuration; a retired agent becomes active again.

    Returns no events when the agent is active with this configuration. config: canonical, from
    `domain.agents.kinds.parse_agent`. Its limits and its `provider` are facts of their own: a worker of an older
    release refuses a configuration with a key that it lacks.
    """
    config = dict(config)
    max_open = config.pop("max_open", None)
    if agent.status == ACTIVE and (agent.config, agent.max_open) == (config, max_open):
        return []
    provider, rate, tokens = (config.pop(name, None) for name in ("provider", "rate", "tokens"))
    return [
        AgentRegistered(
            at=cause.at,
            actor=cause.actor,
            causation=cause.causation,
            correlation=cause.correlation,
            name=name,
            kind=config["kind"],
            config=config,
            max_open=max_open,
            provider=provider,
            rate=rate,
            tokens=tokens,
        )
    ]


def retire_agent(agent: Agent, name: str, reason: str, cause: Cause) -> list[Event]:
    """Retire the agent `name`. Returns no events when it is retired. Raises NotFound when it never was registered."""
    if agent.status == ABSENT:
        raise AgentNotFound(f"there is no agent {name!r}", agent=name)
    if agent.status == RETIRED:
        return []
    return [record(AgentRetired, cause, name=name, reason=reason)]
