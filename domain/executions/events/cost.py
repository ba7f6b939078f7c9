"""Usage and cost of an attempt; each class is stored under its own name for ever."""

from domain.agents.calls import Usage
from domain.event import Event, stored
from domain.money import Money


@stored("CostRecorded")
class CostRecorded(Event, frozen=True, kw_only=True):
    """The usage of an attempt and, where the agent reported it, its cost: exact, as reported."""

    step: str
    attempt: int
    agent: str
    usage: Usage | None = None
    cost: Money | None = None
