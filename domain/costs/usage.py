"""The use of one call of an agent, and its cost: as measured, then as priced."""

from datetime import datetime
from decimal import Decimal

import msgspec

from domain.money import Money

USAGE_MISSING = "usage_missing"
USAGE_IMPOSSIBLE = "usage_impossible"
WRITE_TERM_ASSUMED = "write_term_assumed"
AMOUNT_AS_NUMBER = "amount_as_number"
TIER_UNPRICED = "tier_unpriced"
PROVIDER_UNKNOWN = "provider_unknown"
MODEL_UNKNOWN = "model_unknown"
PRICE_MISSING = "price_missing"


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


class UnitPrices(msgspec.Struct, frozen=True, omit_defaults=True):
    """The prices of one call: of a million tokens of each class, and of one other unit by its name.

    A class of input without a price costs as `input`, reasoning without one as `output`. free: an explicit price of 0.
    """

    currency: str
    input: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    output: Decimal | None = None
    reasoning: Decimal | None = None
    per_unit: dict[str, Decimal] = {}

    def of(self, token_class: str) -> Decimal | None:
        """Return the price of a million tokens of a class; None if neither it nor its wider class has one."""
        price: Decimal | None = getattr(self, token_class)
        if price is None and token_class != "input":  # noqa: S105 - no password
            return self.output if token_class == "reasoning" else None if token_class == "output" else self.input  # noqa: S105
        return price


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
