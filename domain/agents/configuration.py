"""The fields that every kind of agent has, and the defaults that several share."""

from datetime import timedelta

from domain.agents.fields import Config, MaxOpenCalls, ProviderName
from domain.refusal import Problem

MINUTE = timedelta(seconds=60)


class AgentConfiguration(Config):
    """The fields of every kind of agent.

    max_open: how many calls of the agent each worker has open at once. Default: a share of the calls of the worker.
    provider: of the model, as price tables name it. Default: by the host of the address, if it is a known one.
    """

    max_open: MaxOpenCalls | None = None
    provider: ProviderName | None = None

    def problems(self) -> list[Problem]:
        """Return the problems between fields."""
        return []
