"""Events of an agent's entry in the directory; each class is stored under its own name for ever."""

from typing import Any

from domain.event import Event, stored


@stored("AgentRegistered")
class AgentRegistered(Event, frozen=True, kw_only=True):
    """The agent may be called from now on, as `config` says; a later registration replaces an earlier one.

    config: canonical, as `domain.agents.kinds.parse_agent` returns it, without the facts beside it; it holds references
    to secrets, never secrets. max_open: how many calls of the agent all workers together have open at once; None: each
    worker a share of its own. provider: of its model, as price tables name it; None: by the host of its address. rate:
    ``{calls, per}``, the most calls that begin within a period. tokens: ``{per_minute}``, the most that its calls use.
    """

    name: str
    kind: str
    config: dict[str, Any]
    max_open: int | None = None
    provider: str | None = None
    rate: dict[str, Any] | None = None
    tokens: dict[str, Any] | None = None


@stored("AgentRetired")
class AgentRetired(Event, frozen=True, kw_only=True):
    """The agent is no longer called; it may be registered again."""

    name: str
    reason: str
