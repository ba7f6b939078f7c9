"""Events of the operator's prices; each class is stored under its own name for ever."""

from datetime import datetime

from domain.costs.usage import UnitPrices
from domain.event import Event, stored


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
