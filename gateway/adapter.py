"""What every adapter, and every channel of notifications, offers the gateway."""

from typing import Protocol

from domain.agents.calls import AgentCall, Answer, Failed


class Adapter(Protocol):
    """Calls one agent."""

    async def answer(self, call: AgentCall) -> Answer:
        """The agent's answer; whatever the agent or the network does wrong is a Failed, not an exception."""


class Instant(Protocol):
    """An adapter that need not wait for anything."""

    def answer_now(self, call: AgentCall) -> Answer:
        """The agent's answer, at once."""


class Channel(Protocol):
    """Delivers notifications in one way."""

    def unfit(self, call: AgentCall) -> Failed | None:
        """Why this notification can never be delivered here; None when it can be tried."""

    async def send(self, call: AgentCall, id: str) -> Failed | None:
        """Deliver it under `id`, by which receivers tell a repetition; None when it was accepted."""
