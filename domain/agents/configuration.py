"""The fields that every kind of agent has, and the defaults that several share."""

from datetime import timedelta

from domain.agents.fields import CallRate, Config, MaxOpenCalls, ProviderName, TokenRate
from domain.refusal import Problem

MINUTE = timedelta(seconds=60)


class AgentConfiguration(Config):
    """The fields of every kind of agent.

    max_open: how many calls of the agent all workers together have open at once. Default: each worker a share of its
    calls. rate: how many calls begin within a period. tokens: how many a minute the calls use. Default: any number.
    provider: of the model, as price tables name it. Default: by the host of the address, if it is a known one.
    """

    max_open: MaxOpenCalls | None = None
    rate: CallRate | None = None
    tokens: TokenRate | None = None
    provider: ProviderName | None = None

    def problems(self) -> list[Problem]:
        """Return the problems between fields."""
        return []
