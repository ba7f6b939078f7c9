"""Events of the operator's prices; each class is stored under its own name for ever."""

from datetime import datetime

from domain.costs.unit_prices import UnitPrices
from domain.event import Event, stored
from domain.money import Money


@stored("PriceAdded")
class PriceAdded(Event, frozen=True, kw_only=True):
    """Calls of a model from `valid_from` to `valid_to` cost so much; a later entry precedes an earlier one.

    provider, model: in lower case. valid_to: exclusive; None: until another entry.
    """

    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime | None = None
    prices: UnitPrices


@stored("CostsRepriced")
class CostsRepriced(Event, frozen=True, kw_only=True):
    """Costs were priced anew; each has a CostCorrected in the stream of its execution.

    provider: empty: any. begin, end: of the period in which the calls started. corrected: the number of costs that
    changed. difference: what that adds, an amount a currency.
    """

    provider: str
    model: str
    begin: datetime
    end: datetime
    reason: str
    corrected: int
    difference: list[Money]
