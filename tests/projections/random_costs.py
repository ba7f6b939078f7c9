"""Costs as they could be in a log: reported, calculated, not priced, and corrected."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from domain.agents.calls import Usage
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.money import Money
from tests.projections.stories import Story

_AMOUNT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=12)
_MONEY = st.none() | st.builds(Money, _AMOUNT | st.just(Decimal("1E+3")), st.sampled_from(["USD", "EUR"]))
_USAGE = st.none() | st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6))
_PRICED = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["House", "openai"]),
        "model": st.sampled_from(["m", "M"]),
        "flags": st.just(["price_missing"]),
        "price_source": st.just("override"),
        "called_at": st.just(datetime(2025, 12, 31, 23, 59, tzinfo=UTC)),
    },
)


def tell_cost(draw: Any, story: Story, execution: UUID, step: str) -> None:
    """A step costs something."""
    facts = {"usage": draw(_USAGE), "cost": draw(_MONEY), **draw(_PRICED)}
    story.tell(execution, CostRecorded, step=step, attempt=1, agent="echo", **facts)


def tell_correction(draw: Any, story: Story, execution: UUID, step: str) -> None:
    """A cost, or an event that is none, is corrected."""
    before = sum(stream == execution for stream, _ in story.happened)
    facts = {"before": draw(_MONEY), "after": draw(_MONEY), "recorded": draw(st.integers(1, before))}
    story.tell(execution, CostCorrected, step=step, attempt=1, price_source="override", **facts)
