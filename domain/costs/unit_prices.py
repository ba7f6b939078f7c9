"""The prices of one call, by class of token and by other unit."""

from decimal import Decimal

import msgspec


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
