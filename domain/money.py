"""Amounts of money: exact decimals with a currency, never floats."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

import msgspec

CURRENCY = re.compile(r"[A-Z]{3}")
MAX_DIGITS = 40
# Precision for the sum of any number of amounts; a lost digit is an error.
_EXACT = Context(prec=400, traps=[Inexact])


class Money(msgspec.Struct, frozen=True, gc=False):
    """amount: exact, kept at full precision. currency: ISO 4217 code such as ``USD``."""

    amount: Decimal
    currency: str


def parse_money(amount: object, currency: object) -> Money:
    """Return money from a decimal string (or int) and a currency code.

    Raises ValueError with a message for people when either is not acceptable; floats are refused, they are not exact.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError(f'an amount is a decimal string such as "0.0049", not {type(amount).__name__}')
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"{str(amount)[:60]!r} is not a decimal number") from None
    if not value.is_finite() or len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(f"an amount is a finite decimal of at most {MAX_DIGITS} digits")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        raise ValueError("a currency is a three-letter ISO 4217 code such as USD")
    return Money(value, currency)


def scale(amount: Decimal, factor: Decimal) -> Decimal:
    """Return the exact product of an amount and a factor. Raises decimal.Inexact instead of rounding."""
    return _EXACT.multiply(amount, factor)


# The methods themselves: sums are many.
add = _EXACT.add
"""The exact sum of two amounts of one currency. Raises decimal.Inexact instead of rounding."""
subtract = _EXACT.subtract
"""The exact difference of two amounts of one currency. Raises decimal.Inexact instead of rounding."""
