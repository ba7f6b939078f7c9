"""What an attempt used and cost; each class is stored under its own name for ever."""

from domain.agents.calls import Usage
from domain.event import Event, stored
from domain.money import Money


@stored("CostRecorded")
class CostRecorded(Event, frozen=True, kw_only=True):
    """What an attempt used and, where the agent said so, what it cost: exact, as reported."""

    step: str
    attempt: int
    agent: str
    usage: Usage | None = None
    cost: Money | None = None
