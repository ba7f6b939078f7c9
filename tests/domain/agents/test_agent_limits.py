"""The limits of an agent: laws of the windows, whatever order calls, answers and pauses come in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agents.kinds import parse_agent
from domain.agents.limits import (
    LONGEST_AGENT_PAUSE,
    MINUTE,
    RECENT,
    SHORTEST_SLOT,
    SLOTS,
    AgentLimits,
    LimitUse,
    TokensSpent,
    allowed_from,
    begin_calls,
    calls_allowed,
    correct_tokens,
    limits_of,
    pause_of,
    reservation,
    send_calls,
)
from domain.refusal import Malformed

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECONDS = st.floats(0, 40).map(lambda seconds: timedelta(seconds=seconds))
PERIODS = st.sampled_from((timedelta(seconds=1), timedelta(seconds=10), MINUTE, timedelta(hours=1)))


@given(st.integers(1, 30), PERIODS, st.lists(st.tuples(st.floats(0, 1.5), st.integers(0, 40)), min_size=1, max_size=60))
def test_no_period_ever_holds_more_calls_than_the_rate_however_they_come(calls, per, wishes):
    limits, use, now, begun = AgentLimits(calls=calls, per=per), LimitUse(), BEGIN, []
    for wait, wished in wishes:
        now += per * wait
        count = min(wished, calls_allowed(limits, use, 0, now))
        use, _ = begin_calls(limits, use, count, now)
        begun += [now] * count
        assert sum(at > now - per - max(per / SLOTS, SHORTEST_SLOT) for at in begun) <= calls
        assert len(use.calls) <= SLOTS + 3, "the row is bounded"


@given(
    st.integers(1, 30),
    PERIODS,
    st.lists(st.tuples(st.floats(0, 1.5), st.integers(0, 40), st.floats(0, 2)), min_size=1, max_size=40),
)
def test_no_period_holds_more_calls_than_the_rate_however_late_they_are_sent(calls, per, wishes):
    """A call is sent some time after its claim, also after the period; others are claimed in between."""
    limits, use, now = AgentLimits(calls=calls, per=per), LimitUse(), BEGIN
    under_way: list[tuple[datetime, int, int]] = []
    sent: list[datetime] = []
    for wait, wished, delay in wishes:
        now += per * wait
        for at, slot, count in sorted(each for each in under_way if each[0] <= now):
            use = send_calls(limits, use, {slot: count}, at)
            sent += [at] * count
        under_way = [each for each in under_way if each[0] > now]
        count = min(wished, calls_allowed(limits, use, 0, now))
        use, claimed = begin_calls(limits, use, count, now)
        if count:
            under_way.append((now + min(per, per * delay / 2), claimed.calls, count))
    assert all(sum(first <= at <= first + per for at in sent) <= calls for first in sent)


@given(st.integers(1, 30), PERIODS, st.lists(st.floats(0, 1.5), min_size=1, max_size=30))
def test_a_call_may_begin_at_the_time_that_is_stated_and_never_before(calls, per, waits):
    limits, use, now = AgentLimits(calls=calls, per=per), LimitUse(), BEGIN
    for wait in waits:
        now += per * wait
        use, _ = begin_calls(limits, use, calls_allowed(limits, use, 0, now), now)
        free_at = allowed_from(limits, use, now)
        assert free_at is not None
        assert now < free_at <= now + per + 2 * max(per / SLOTS, SHORTEST_SLOT)
        assert calls_allowed(limits, use, 0, free_at) >= 1
        assert calls_allowed(limits, use, 0, free_at - timedelta(milliseconds=1)) == 0


@given(
    st.integers(100, 1000),
    st.lists(st.tuples(SECONDS, st.integers(1, 20), st.integers(0, 400)), min_size=1, max_size=40),
)
def test_a_call_begins_only_while_reservations_and_use_leave_it_tokens(tokens, course):
    """The one exception: a call that reserves more than a minute has begins when the minute is empty."""
    limits, use, now = AgentLimits(tokens=tokens), LimitUse(), BEGIN
    counted: list[tuple[datetime, int]] = []
    for wait, wished, used in course:
        now += wait
        reserved = reservation(limits, use)
        count = min(wished, calls_allowed(limits, use, 0, now))
        use, claimed = begin_calls(limits, use, count, now)
        if not count:
            assert allowed_from(limits, use, now) is not None
            continue
        inside = sum(amount for at, amount in counted if at > now - MINUTE)
        assert inside + count * reserved <= tokens or (inside == 0 and count == 1)
        use = correct_tokens(use, [TokensSpent(claimed.tokens, reserved, used)] * count, now)
        counted.append((now, count * used))
    assert len(use.tokens) <= SLOTS + 3
    assert len(use.recent) <= RECENT


def test_the_next_call_reserves_the_median_of_the_last_twenty():
    limits = AgentLimits(tokens=1000)
    assert reservation(limits, LimitUse()) == 100, "a tenth, until the use of one is known"
    use = correct_tokens(LimitUse(), [TokensSpent(0, 100, used) for used in (900, 10, 20)], BEGIN)
    assert reservation(limits, use) == 20
    use = correct_tokens(use, [TokensSpent(0, 20, 50)] * 20, BEGIN)
    assert use.recent == (50,) * 20


def test_a_call_corrects_what_it_reserved_in_both_directions():
    limits = AgentLimits(tokens=1000)
    use, claimed = begin_calls(limits, LimitUse(), 10, BEGIN)
    slot = claimed.tokens
    assert calls_allowed(limits, use, 0, BEGIN) == 0
    cheap = correct_tokens(use, [TokensSpent(slot, 100, 40)], BEGIN)
    assert sum(amount for _, amount in cheap.tokens) == 940
    assert calls_allowed(limits, cheap, 0, BEGIN) == 1
    late = BEGIN + timedelta(seconds=50)
    dear = correct_tokens(use, [TokensSpent(slot, 100, 600)], late)
    assert sum(amount for _, amount in dear.tokens) == 1500, "more than reserved counts from now on"
    assert allowed_from(limits, dear, late) > late + timedelta(seconds=12)


def test_a_call_larger_than_a_minute_begins_when_nothing_of_the_minute_is_used():
    limits = AgentLimits(tokens=100)
    large = correct_tokens(LimitUse(), [TokensSpent(0, 10, 5000)], BEGIN - timedelta(minutes=3))
    assert reservation(limits, large) == 5000
    assert calls_allowed(limits, large, 0, BEGIN) == 1
    begun, _ = begin_calls(limits, large, 1, BEGIN)
    assert calls_allowed(limits, begun, 0, BEGIN + timedelta(seconds=59)) == 0
    assert calls_allowed(limits, begun, 0, BEGIN + timedelta(seconds=63)) == 1


def test_open_calls_and_the_rate_both_bound_and_the_clock_may_go_back():
    limits = AgentLimits(max_open=3, calls=5)
    assert calls_allowed(limits, LimitUse(), 1, BEGIN) == 2
    assert calls_allowed(limits, LimitUse(), 9, BEGIN) == 0
    use, _ = begin_calls(limits, LimitUse(), 3, BEGIN)
    use, _ = begin_calls(limits, use, 1, BEGIN - timedelta(seconds=5))
    assert calls_allowed(limits, use, 0, BEGIN - timedelta(seconds=5)) == 1


def test_a_pause_has_a_bound():
    assert pause_of(timedelta(seconds=7)) == timedelta(seconds=7)
    assert pause_of(timedelta(days=3)) == LONGEST_AGENT_PAUSE
    assert pause_of(timedelta(seconds=-1)) == timedelta()


def problems(**limits: Any) -> list[str]:
    with pytest.raises(Malformed) as refused:
        parse_agent("writer", {"kind": "scripted", "script": "echo", **limits})
    return sorted(problem.path for problem in refused.value.problems)


def test_a_configuration_states_limits_and_each_mistake_is_located():
    body = {"kind": "scripted", "script": "echo", "rate": {"calls": 60, "per": 60}, "tokens": {"per_minute": 9}}
    canonical = parse_agent("writer", body)
    assert (canonical["rate"], canonical["tokens"]) == ({"calls": 60, "per": "1m"}, {"per_minute": 9})
    assert limits_of(canonical, 3) == AgentLimits(3, 60, MINUTE, 9)
    assert limits_of({"kind": "http"}, None) is None
    assert problems(rate={"calls": 0, "per": "1m"}) == ["rate.calls"]
    assert problems(rate={"calls": 1}, tokens={}) == ["rate.per", "tokens.per_minute"]
    assert problems(rate={"calls": 1, "per": "10ms"}) == problems(rate={"calls": 1, "per": "2d"}) == ["rate.per"]
    assert problems(rate=60, tokens={"per_minute": 1, "per_hour": 2}) == ["rate", "tokens.per_hour"]
