"""Amounts keep every digit wherever they are added up, taken back or scaled, however many digits they have."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.executions.engine.scope import scope
from domain.executions.events.outcomes import COMPLETED
from domain.executions.state.cost import differences
from domain.executions.state.model import Execution, StepState
from domain.language.expressions import parse_value
from domain.money import Money, scale
from tests.definitions import plan_of

AMOUNTS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(0, 10**45),
    st.integers(0, 40),
)
PLAN = plan_of("name: a\nsteps: [{id: a, agent: b, message: c}]\n")


def exact(amount):
    return Fraction(amount)


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_the_cost_of_a_step_in_expressions_is_the_exact_sum(amounts):
    costs = tuple(Money(amount, "USD") for amount in amounts)
    execution = Execution(UUID(int=1), PLAN, steps={"a": StepState(COMPLETED, 1, costs=costs)})
    found = parse_value("{{ steps.a.cost }}").render(scope(execution))
    assert exact(found) == sum(map(exact, amounts))
    negative = parse_value("{{ - steps.a.cost }}").render(scope(execution))
    assert exact(negative) == -sum(map(exact, amounts))


@given(AMOUNTS, AMOUNTS)
def test_what_a_correction_adds_is_the_exact_difference(before, after):
    (added,) = differences(Money(before, "USD"), Money(after, "USD"))
    assert exact(added.amount) == exact(after) - exact(before)


@given(AMOUNTS, AMOUNTS)
def test_a_correction_to_another_currency_takes_back_one_amount_and_adds_the_other(before, after):
    taken, given_ = differences(Money(before, "USD"), Money(after, "EUR"))
    assert (taken.currency, exact(taken.amount), given_) == ("USD", -exact(before), Money(after, "EUR"))


@given(AMOUNTS, st.integers(0, 100))
def test_a_share_of_a_limit_is_exact(amount, percent):
    share = Decimal(percent).scaleb(-2)
    assert exact(scale(amount, share)) == exact(amount) * exact(share)
