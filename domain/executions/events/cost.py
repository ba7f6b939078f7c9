"""Usage and cost of an attempt; each class is stored under its own name for ever."""

from datetime import datetime

from domain.agents.calls import Usage
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import TokenClasses
from domain.event import Event, stored
from domain.money import Money


@stored("CostRecorded")
class CostRecorded(Event, frozen=True, kw_only=True):
    """The usage of an attempt, and its cost where that is known: the amount that counts, exact.

    cost: as the agent reported it, else as calculated; None with usage or flags: not priced. called_at: the start of
    the call; the cost belongs to that time. tokens: disjoint classes. units: other units, by name. usage_id: by which
    the agent names this use, once in an execution. reported, calculated: both kinds of cost, where more than the
    agent's is known. unit_prices, calculated_by: the prices of the calculation, and where they stood. price_source:
    of `cost`. flags: what is missing, impossible or assumed.
    """

    step: str
    attempt: int
    agent: str
    usage: Usage | None = None
    cost: Money | None = None
    called_at: datetime | None = None
    provider: str = ""
    model: str = ""
    tokens: TokenClasses | None = None
    units: dict[str, int] = {}
    usage_id: str = ""
    tier: str = ""
    reported: Money | None = None
    calculated: Money | None = None
    unit_prices: UnitPrices | None = None
    calculated_by: str = ""
    price_source: str = ""
    flags: list[str] = []


@stored("CostCorrected")
class CostCorrected(Event, frozen=True, kw_only=True):
    """A cost is another one after all: `after` counts in place of `before`; None: not priced.

    recorded: the version of the CostRecorded in the stream of the execution. called_at: the time that the cost belongs
    to. unit_prices, price_source: of the new amount.
    """

    step: str
    attempt: int
    recorded: int
    before: Money | None = None
    after: Money | None = None
    reason: str = ""
    called_at: datetime | None = None
    provider: str = ""
    model: str = ""
    unit_prices: UnitPrices | None = None
    price_source: str = ""
