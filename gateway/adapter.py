"""The interface of every adapter, and of every channel of notifications, to the gateway."""

from typing import Protocol

from domain.agents.calls import AgentCall, Answer, Failed


class Adapter(Protocol):
    """Calls one agent."""

    async def answer(self, call: AgentCall) -> Answer:
        """Return the agent's answer; every error of the agent or the network is a Failed, not an exception."""


class ImmediateAdapter(Protocol):
    """An adapter that need not wait for anything."""

    def answer_now(self, call: AgentCall) -> Answer:
        """Return the agent's answer, at once."""


class Channel(Protocol):
    """Delivers notifications in one way."""

    def unfit(self, call: AgentCall) -> Failed | None:
        """Return why this notification can never be delivered here; None when it can be tried."""

    async def send(self, call: AgentCall, id: str) -> Failed | None:
        """Deliver it under `id`, by which receivers recognise a repetition. Returns None when it was accepted."""
