"""Words of messages: labels that are written once."""

import pytest

from domain.words import labelled


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("the amount is negative", "cost: the amount is negative"),
        ("cost: the amount is negative", "cost: the amount is negative"),
        ("cost.amount is no number", "cost.amount is no number"),
        ("costs are money", "cost: costs are money"),
        ("", "cost: "),
    ],
)
def test_a_message_has_its_label_once(message: str, shown: str) -> None:
    assert labelled("cost", message) == shown
