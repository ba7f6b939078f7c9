"""Amounts of money are added and scaled to their last digit."""

from decimal import Decimal

from domain.money import scale


def test_a_product_keeps_every_digit() -> None:
    product = scale(Decimal("1.234567890123456789012345678901234567"), Decimal("0.8"))
    assert str(product) == "0.9876543120987654312098765431209876536"
