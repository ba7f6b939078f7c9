"""The use of one call of an agent, and its cost: as measured, then as priced."""

from datetime import datetime

import msgspec

from domain.costs.unit_prices import UnitPrices
from domain.money import Money


class TokenClasses(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Disjoint counts of tokens. input: neither read from a cache nor written to one; reasoning: a part of output."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def all_input(self) -> int:
        """The tokens of every class of input."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def counts(self) -> dict[str, int]:
        """The counts that prices apply to, by class: the output apart from the reasoning in it."""
        return {
            "input": self.input,
            "cache_read": self.cache_read,
            "cache_write_5m": self.cache_write_5m,
            "cache_write_1h": self.cache_write_1h,
            "output": self.output - self.reasoning,
            "reasoning": self.reasoning,
        }


class Metered(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The use of one call beyond plain counts, and its price once it is known.

    tokens: None if they are not known. units: other units, by name. usage_id: given by the agent, unique within an
    execution. tier: the service tier of the provider. flags: what is missing or impossible. called_at: the start of
    the call. calculated: what the prices come to; calculated_by: where they stood.
    """

    provider: str = ""
    model: str = ""
    tokens: TokenClasses | None = None
    units: dict[str, int] = {}
    usage_id: str = ""
    tier: str = ""
    flags: list[str] = []
    called_at: datetime | None = None
    calculated: Money | None = None
    unit_prices: UnitPrices | None = None
    calculated_by: str = ""
