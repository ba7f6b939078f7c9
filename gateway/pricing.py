"""The interface of what prices answers, to the gateway."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from domain.agents.calls import Answer


class PricesAnswers(Protocol):
    """Prices the use in answers, as `commands.costs.Pricing` does; callable from any thread."""

    def needs(self, answer: Answer, config: Mapping[str, Any]) -> bool:
        """Return whether the answer has a use to be priced."""

    def priced(self, answer: Answer, config: Mapping[str, Any], called_at: datetime | None) -> Answer:
        """Return the answer with the cost of its use."""
