"""The stored form of kept answers: every answer of every kind comes back as it was."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.agents.calls import Accepted, Answer, Completed, Failed, StepError, Usage
from domain.money import Money
from store.lists.agent_answers import decode, encode


@pytest.mark.parametrize(
    "answer",
    [
        Completed({"a": [1, None, "é"]}, Usage(1, 2, 3, {"raw": True}), Money(Decimal("0.10"), "EUR")),
        Completed(None),
        Completed(0),
        Failed(StepError("agent_error", "no", permanent=True, retry_after=timedelta(seconds=1.5), details={"x": 1})),
        Failed(StepError("agent_error", "no"), Usage(1), Money(Decimal(3), "USD")),
        Accepted(),
    ],
)
def test_an_answer_comes_back(answer: Answer) -> None:
    assert decode(encode(answer)) == answer
