"""Retry policies: which errors are worth another attempt, and how long to wait before it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.types.quantities import ONE_YEAR
from domain.language.types.steps import Retry

seconds = st.timedeltas(timedelta(), ONE_YEAR)
policies = st.builds(
    Retry,
    max_attempts=st.integers(1, 1_000),
    delay=seconds,
    backoff=st.sampled_from(["fixed", "linear", "exponential"]),
    multiplier=st.floats(1, 1_000),
    max_delay=st.none() | seconds,
)


def delays(**fields: object) -> list[float]:
    policy = Retry.model_validate(fields).plan()
    return [policy.delay_before(attempt).total_seconds() for attempt in range(1, 7)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [0, 1, 1, 1, 1, 1]),
        ({"delay": "10s"}, [0, 10, 10, 10, 10, 10]),
        ({"delay": "10s", "backoff": "linear"}, [0, 10, 20, 30, 40, 50]),
        ({"delay": "10s", "backoff": "exponential"}, [0, 10, 20, 40, 80, 160]),
        ({"delay": "10s", "backoff": "exponential", "multiplier": 1.5}, [0, 10, 15, 22.5, 33.75, 50.625]),
        ({"delay": "10s", "backoff": "exponential", "max_delay": "25s"}, [0, 10, 20, 25, 25, 25]),
        ({"delay": "10s", "max_delay": "5s"}, [0, 5, 5, 5, 5, 5]),
        ({"delay": 0, "backoff": "exponential"}, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_delays_grow_as_the_policy_says(fields: dict[str, object], expected: list[float]) -> None:
    assert delays(**fields) == expected


@given(policies, st.integers(-5, 10**12))
def test_a_delay_is_never_negative_longer_than_allowed_or_shorter_than_the_one_before(
    policy: Retry, attempt: int
) -> None:
    planned = policy.plan()
    longest = ONE_YEAR if policy.max_delay is None else policy.max_delay
    assert timedelta() <= planned.delay_before(attempt) <= planned.delay_before(attempt + 1) <= longest
    assert planned.delay_before(2) == min(policy.delay, longest)


@given(policies.filter(lambda policy: policy.delay > timedelta() and policy.backoff == "linear"))
def test_what_grows_reaches_its_bound(policy: Retry) -> None:
    assert policy.plan().delay_before(10**30) == (ONE_YEAR if policy.max_delay is None else policy.max_delay)


@pytest.mark.parametrize(
    ("fields", "code", "permanent", "wanted"),
    [
        ({}, "agent_error", False, True),
        ({}, "agent_error", True, False),
        ({"retry_on": ["busy"]}, "busy", False, True),
        ({"retry_on": ["busy"]}, "agent_error", False, False),
        ({"retry_on": ["busy"]}, "busy", True, False),
        ({"give_up_on": ["refused"]}, "refused", False, False),
        ({"give_up_on": ["refused"]}, "busy", False, True),
        ({"retry_on": ["busy"], "give_up_on": ["busy"]}, "busy", False, False),
    ],
)
def test_errors_are_worth_another_attempt_or_not(
    fields: dict[str, list[str]], code: str, permanent: bool, wanted: bool
) -> None:
    assert Retry.model_validate(fields).plan().allows(code, permanent) is wanted
