"""Claims under limits on a real database: two claimers, one row an agent, and nothing left behind by a lost worker."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.agents.limits import AgentLimits, TokensSpent
from scheduler.lists import Lists
from scheduler.stored_lists import StoredLists
from store.datastore import BY_INDEX, Datastore, OwnConnection
from store.lists import agent_limits, due_steps
from store.lists.agent_limits import CallReports
from store.lists.turns import UNKNOWN
from tests.store.test_turns import INSERT

ME, OTHER = uuid4(), uuid4()
P = UUID(int=1)
HOUR = timedelta(hours=1)
RATE = {"a": AgentLimits(calls=7, per=HOUR)}


@pytest.fixture
def lists(datastore: Datastore):
    opened = StoredLists(OwnConnection(datastore, **BY_INDEX))
    yield opened
    opened.close()


@pytest.fixture
def connection(datastore: Datastore):
    with datastore.connect(**BY_INDEX) as opened:
        yield opened


def claim(lists: Lists, limited, owner=ME, limit=100, rooms=None):
    lists.ensure_limits(sorted(limited))
    return lists.claim_steps(owner, limit, rooms or {}, UNKNOWN, limited)


def claimed(made, agent="a"):
    return sum(len(turn.claimed) for turn in made.turns if turn.group[0] == agent)


def waiting(connection, agent, attempts):
    connection.execute(INSERT, (agent, P, attempts))


def test_two_claimers_together_never_take_more_than_the_rate(connection, datastore):
    waiting(connection, "a", 500)
    taken: list[int] = []

    def claimer() -> None:
        mine, owner = StoredLists(OwnConnection(datastore, **BY_INDEX)), uuid4()
        taken.extend(claimed(claim(mine, RATE, owner, limit=2)) for _ in range(30))
        mine.close()

    threads = [threading.Thread(target=claimer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 7
    (row,) = connection.execute("select * from agent_limits").fetchall()
    assert row["free_at"] > datetime.now(UTC) + timedelta(minutes=50)


def test_two_claimers_together_never_hold_more_than_may_be_open(connection, datastore):
    waiting(connection, "a", 300)
    limited, most = {"a": AgentLimits(max_open=5)}, []

    def claimer() -> None:
        mine, owner = StoredLists(OwnConnection(datastore, **BY_INDEX)), uuid4()
        for _ in range(25):
            made = claim(mine, limited, owner, limit=3)
            most.append(connection_count(datastore))
            mine.unclaim_steps(owner, [(id, step) for turn in made.turns for id, step, _ in turn.claimed])
        mine.close()

    threads = [threading.Thread(target=claimer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 < max(most) <= 5


def connection_count(datastore):
    with datastore.reading() as reading:
        return reading.execute("select count(*) as n from due_steps where owner is not null").fetchone()["n"]


def test_a_lost_worker_leaves_no_open_calls_behind_and_its_calls_count_again(connection, lists):
    waiting(connection, "a", 10)
    limited = {"a": AgentLimits(max_open=4, calls=6, per=HOUR)}
    due_steps.renew(connection, ME, "host", 1, timedelta(seconds=-1))
    assert claimed(claim(lists, limited)) == 4
    assert claimed(claim(lists, limited, OTHER)) == 0
    due_steps.release_lost(connection)
    assert claimed(claim(lists, limited, OTHER)) == 2


def test_an_agent_at_its_limit_delays_no_one_whatever_number_of_its_attempts_wait(connection, lists):
    waiting(connection, "a", 20_000)
    waiting(connection, "b", 3)
    made = claim(lists, RATE, limit=200)
    assert (claimed(made), claimed(made, "b")) == (7, 3)
    waiting(connection, "b", 3)
    made = claim(lists, RATE, limit=200)
    assert (claimed(made), claimed(made, "b"), made.admitted) == (0, 3, set())
    assert HOUR <= made.waits["a"] <= HOUR + timedelta(minutes=3)


def test_a_claim_does_not_wait_for_another_claim_of_the_same_agent(connection, lists, datastore):
    waiting(connection, "a", 5)
    waiting(connection, "b", 5)
    claim(lists, {"a": AgentLimits(calls=1, per=HOUR)})
    with datastore.connect() as second, second.transaction():
        second.execute("select from agent_limits for update")
        waiting(connection, "b", 5)
        made = claim(lists, {"a": AgentLimits()})
        assert (claimed(made), claimed(made, "b")) == (0, 5)
        assert made.waits == {"a": agent_limits.BUSY_AGAIN}
    assert claimed(claim(lists, {"a": AgentLimits()})) == 4


def test_calls_reserve_tokens_and_their_use_corrects_the_row(connection, lists):
    waiting(connection, "a", 100)
    limited = {"a": AgentLimits(tokens=1000)}
    made = claim(lists, limited)
    assert (claimed(made), made.counted["a"].reserved) == (10, 100)
    spent = [TokensSpent(made.counted["a"].tokens, 100, 20)] * 10
    lists.correct_limits({"a": CallReports(spent=spent)}, limited)
    made = claim(lists, limited)
    assert (claimed(made), made.counted["a"].reserved) == (40, 20)
    assert made.waits["a"] > timedelta(seconds=50)


def test_a_paused_agent_is_left_alone_by_every_worker_until_the_pause_is_over(connection, lists):
    waiting(connection, "a", 3)
    lists.pause_agents({"a": timedelta(minutes=5)})
    lists.pause_agents({"a": timedelta(minutes=1)})
    assert lists.closed_agents() == {"a"}
    made = claim(lists, {"a": AgentLimits()}, OTHER)
    assert claimed(made) == 0
    assert timedelta(minutes=4) < made.waits["a"] <= timedelta(minutes=5)
    connection.execute("update agent_limits set paused_until = now()")
    assert lists.closed_agents() == set()
    assert claimed(claim(lists, {"a": AgentLimits()}, OTHER)) == 3


def test_an_agent_whose_limits_are_lifted_is_claimed_and_its_row_put_right(connection, lists):
    waiting(connection, "a", 10)
    claim(lists, RATE)
    assert lists.closed_agents() == {"a"}
    assert claimed(claim(lists, dict.fromkeys(lists.closed_agents(), AgentLimits()))) == 3
    assert lists.closed_agents() == set()


def test_a_worker_of_the_release_before_claims_without_limits(connection, lists):
    """Its statement sets the owner alone; the attempt is not among those that the limit counts."""
    waiting(connection, "a", 3)
    connection.execute("update due_steps set owner = %s", (OTHER,))
    waiting(connection, "a", 3)
    assert claimed(claim(lists, {"a": AgentLimits(max_open=2)})) == 2
