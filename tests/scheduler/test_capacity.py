"""Laws of the shares of agents in the calls of one worker, and of the turns of those that wait."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.agents.limits import AgentLimits
from scheduler.capacity import KEPT_PART, SHARE, Capacity, Shares, Tally, kept_of
from scheduler.claiming import is_between, last_served
from store.lists.turns import StepTurn

MOST = st.integers(1, 2_000)
AGENTS = st.lists(st.sampled_from("abcdef"), max_size=60)
GROUPS = st.tuples(st.sampled_from("ab"), st.integers(0, 5).map(lambda n: UUID(int=n)))


def capacity_of(most: int, **limits: int) -> Capacity:
    capacity = Capacity(most)
    for agent in "abcdef":
        capacity.limit(agent, AgentLimits(limits[agent]) if agent in limits else None)
    return capacity


def filled(capacity: Capacity, agent: str) -> int:
    """Open calls of an agent until the worker may have no more of it; return how many."""
    opened = 0
    while Shares(capacity, ()).grant(agent, list):
        capacity.open.add(agent)
        opened += 1
    return opened


@given(most=MOST, wishes=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 500)), max_size=5))
def test_the_room_of_an_agent_is_the_number_of_calls_that_its_share_allows_one_by_one(most, wishes):
    capacity = capacity_of(most, b=7)
    for agent, calls in wishes:
        held = capacity.open.of.get(agent, 0)
        for _ in range(min(calls, capacity.room(capacity.limit_of(agent), held, capacity.free))):
            capacity.open.add(agent)
    for agent in "af":
        held = capacity.open.of.get(agent, 0)
        expected = capacity.rooms().get(agent, capacity.share())
        opened = filled(capacity, agent)
        assert opened == expected
        assert capacity.open.total <= most
        for _ in range(opened):
            capacity.over(agent)
        assert capacity.open.of.get(agent, 0) == held
    assert capacity.rooms().get("b", capacity.share()) <= 7
    assert filled(capacity, "b") == 0, "the list has the calls of other workers"


@given(most=MOST)
def test_an_agent_alone_may_have_nearly_all_calls_and_another_is_served_at_once(most):
    capacity = capacity_of(most)
    alone = filled(capacity, "a")
    assert alone >= most * SHARE / (SHARE + 1)
    if most > SHARE + 1:
        assert Shares(capacity, ()).grant("b", list)


@given(most=st.integers(20 * KEPT_PART, 2_000), busy=st.integers(0, 20))
def test_an_agent_with_nothing_open_is_called_at_once_however_many_others_never_end(most, busy):
    """The busy agents claim all that they may, round by round, and none of their calls ends."""
    capacity = Capacity(most)
    agents = [f"busy-{n}" for n in range(busy)]
    for agent in [*agents, "new"]:
        capacity.limit(agent, None)
    for _ in range(2):
        for agent in agents:
            filled(capacity, agent)
    assert capacity.share() >= 1
    assert Shares(capacity, ()).grant("new", list)


@given(most=MOST)
def test_a_worker_of_any_size_calls_one_agent_more_than_the_calls_it_keeps(most):
    capacity = Capacity(most)
    for n in range(kept_of(most) + 1):
        capacity.limit(f"agent-{n}", None)
        assert filled(capacity, f"agent-{n}") >= 1


@given(most=st.integers(1, 300), hogs=st.integers(2, 5))
def test_greedy_agents_end_with_equal_shares_as_their_calls_end(most, hogs):
    """Each calls again whenever one of its calls ends and its share allows it; nobody keeps what came first."""
    capacity = capacity_of(most)
    agents = "abcdef"[:hogs]
    for agent in agents:
        filled(capacity, agent)
    for _ in range(4):
        for agent in agents:
            for _ in range(capacity.open.of.get(agent, 0)):
                capacity.over(agent)
                for other in agents:
                    filled(capacity, other)
    held = [capacity.open.of.get(agent, 0) for agent in agents]
    assert max(held) <= most / hogs + SHARE + 1


@given(most=MOST, taken=AGENTS, taking=AGENTS)
def test_the_calls_of_a_worker_hold_over_calls_and_all_that_is_being_taken(most, taken, taking):
    capacity, tally = capacity_of(most), Tally()
    for agent in taking:
        tally.add(agent)
    allowed = Shares(capacity, (tally,)).grant("a", taken.copy)
    if allowed:
        assert len(taken) + len(taking) < most
    capacity.closed = True
    assert not Shares(capacity, ()).grant("a", list)


def test_an_agent_that_admits_no_call_or_has_limits_is_claimed_from_the_list_only():
    capacity = capacity_of(10, b=7)
    assert Shares(capacity, ()).grant("a", list)
    capacity.closed_agents = {"a"}
    assert not Shares(capacity, ()).grant("a", list)
    assert capacity.listed_only() == {"a": AgentLimits(), "b": AgentLimits(7)}
    capacity.limit("b", None)
    assert Shares(capacity, ()).grant("b", list)


def test_an_agent_that_the_worker_does_not_know_is_not_taken_and_a_notification_is():
    shares = Shares(Capacity(10), ())
    assert not shares.grant("a", list)
    assert shares.grant("", list)


@given(before=AGENTS, more=AGENTS)
def test_tallies_add_up(before, more):
    tally, other = Tally(), Tally()
    for agent in before:
        tally.add(agent)
    for agent in more:
        other.add(agent)
    tally.add_all(other)
    assert (tally.total, tally.of) == (len(before + more), {a: (before + more).count(a) for a in set(before + more)})
    tally.remove_all(other)
    assert tally.total == len(before)
    assert {agent: calls for agent, calls in tally.of.items() if calls} == {a: before.count(a) for a in set(before)}


def test_a_call_that_ends_wakes_the_worker_only_for_an_agent_that_waits():
    capacity = capacity_of(10)
    for agent in "ab":
        capacity.open.add(agent)
    capacity.waiting = {"a"}
    capacity.over("b")
    assert not capacity.ended
    capacity.over("a")
    assert capacity.ended


@given(groups=st.sets(GROUPS, min_size=1), after=GROUPS, limit=st.integers(1, 4))
def test_every_group_has_its_turn_before_any_has_the_next(groups, after, limit):
    """Claims of `limit` groups each, round and round: after one round each was served once, give or take the last."""
    served: list[tuple[str, UUID]] = []
    while len(served) < 2 * len(groups):
        walk = sorted(group for group in groups if group > after) + sorted(group for group in groups if group <= after)
        turns = [StepTurn(group, int(place < limit), []) for place, group in enumerate(walk)]
        served += walk[:limit]
        after = last_served(turns, {})
    counts = [served.count(group) for group in groups]
    assert max(counts) - min(counts) <= 1


@given(order=st.sets(GROUPS, min_size=3), data=st.data())
def test_a_walk_comes_by_the_groups_behind_its_beginning_and_its_end(order, data):
    groups = sorted(order)
    begin, length = data.draw(st.integers(0, len(groups) - 1)), data.draw(st.integers(1, len(groups)))
    walk = [groups[(begin + n) % len(groups)] for n in range(1, length + 1)]
    passed = [group for group in groups if is_between(group, groups[begin], walk[-1])]
    assert sorted(passed) == sorted(walk)
