"""What every adapter offers the gateway."""

from typing import Protocol

from domain.agents.calls import AgentCall, Answer


class Adapter(Protocol):
    """Calls one agent."""

    async def answer(self, call: AgentCall) -> Answer:
        """The agent's answer; whatever the agent or the network does wrong is a Failed, not an exception."""


class Instant(Protocol):
    """An adapter that need not wait for anything."""

    def answer_now(self, call: AgentCall) -> Answer:
        """The agent's answer, at once."""
