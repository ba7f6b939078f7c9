"""Claims in turns on a real database: each group has its part, whatever waits before it."""

from uuid import UUID, uuid4

import pytest

from domain.agents.calls import StepError
from domain.event import record
from domain.executions.events.step import StepFailed, StepScheduled, StepStarted
from scheduler.claiming import last_served
from store.datastore import BY_INDEX, Datastore
from store.lists import due_steps, turns
from store.lists.turns import MAX_GROUPS, UNKNOWN
from store.unit import Unit
from tests.store.test_log import CAUSE

ME, OTHER = uuid4(), uuid4()
P, Q = UUID(int=1), UUID(int=2)
INSERT = """insert into due_steps (execution_id, step, attempt, agent, process_id, due_at)
select gen_random_uuid(), 's', 1, %s, %s, now() - interval '1 min' from generate_series(1, %s)"""


@pytest.fixture
def connection(datastore: Datastore):
    with datastore.connect(**BY_INDEX) as opened:
        yield opened


def waiting(connection, agent, process=P, attempts=1):
    connection.execute(INSERT, (agent, process, attempts))


def claim(connection, limit=10, rooms=None, after=UNKNOWN, owner=ME):
    return {turn.group: len(turn.claimed) for turn in turns.claim(connection, owner, limit, rooms or {}, after)}


def test_agents_and_processes_that_wait_claim_equal_parts(connection):
    waiting(connection, "slow", attempts=500)
    waiting(connection, "fast", attempts=500)
    waiting(connection, "fast", Q, attempts=2)
    assert claim(connection, 12) == {("fast", P): 4, ("fast", Q): 2, ("slow", P): 4}


def test_an_agent_that_is_full_keeps_a_hundred_thousand_rows_and_delays_no_one(connection):
    for process in (P, Q):
        waiting(connection, "a", process, 50_000)
    waiting(connection, "b", attempts=3)
    assert claim(connection, 200, {"a": 0}) == {("a", P): 0, ("b", P): 3}
    assert claim(connection, 200, {"a": 0}, after=("a", P)) == {("a", P): 0}


def test_the_processes_of_an_agent_share_its_room(connection):
    for process in (P, Q):
        waiting(connection, "a", process, 10)
    waiting(connection, "b", P, 10)
    assert claim(connection, 9, {"a": 3}) == {("a", P): 2, ("a", Q): 1, ("b", P): 3}


def test_no_group_is_forgotten_among_more_than_one_claim_serves(connection):
    connection.execute(
        """insert into due_steps (execution_id, step, attempt, agent, process_id, due_at)
        select gen_random_uuid(), 's', 1, 'agent-' || a, lpad(p::text, 32, '0')::uuid, now() - interval '1 min'
        from generate_series(1, 50) a, generate_series(1, 4) p, generate_series(1, 3)"""
    )
    served, after = [], UNKNOWN
    while len(served) < 200:
        walked = turns.claim(connection, ME, 7, {}, after)
        assert len(walked) == MAX_GROUPS
        after = last_served(walked, {})
        served += [turn.group for turn in walked if turn.claimed]
    assert len(set(served)) >= 197


def test_rows_without_a_group_are_a_group_of_their_own(connection):
    connection.execute("insert into due_steps (execution_id, step, attempt) values (%s, 's', 1)", (P,))
    waiting(connection, "", Q, 4)
    walked = turns.claim(connection, ME, 4, {"": 1}, UNKNOWN)
    assert {turn.group: len(turn.claimed) for turn in walked} == {UNKNOWN: 1, ("", Q): 1}
    due_steps.regroup(connection, ME, [(P, "s", ("a", Q))])
    due_steps.regroup(connection, OTHER, [(P, "s", ("b", Q))])
    assert claim(connection, 4, {"": 0}) == {("", Q): 0, ("a", Q): 1}


def test_locked_rows_and_rows_due_later_are_left_alone(connection, datastore):
    waiting(connection, "a", attempts=3)
    with datastore.connect() as second, second.transaction():
        second.execute("select from due_steps limit 2 for update")
        assert claim(connection) == {("a", P): 1}
    due_steps.postpone(connection, ME, due_steps_of(connection, ME))
    assert claim(connection) == {("a", P): 2}


def test_the_append_notes_the_agent_and_the_process_and_follows_a_reassignment(log, connection):
    stream, attempt = uuid4(), {"step": "s", "attempt": 1}

    def scheduled(agent, **more):
        return record(StepScheduled, CAUSE, agent=agent, message="m", **attempt | more)

    log.append(Unit(stream, 0, [scheduled("a")], process_id=P))
    assert groups(connection) == [("a", P, None)]
    failed = record(StepFailed, CAUSE, error=StepError("x", "y"), **attempt)
    log.append(Unit(stream, 1, [failed, scheduled("b", attempt=2)], process_id=P))
    assert groups(connection) == [("b", P, None)]
    started = record(StepStarted, CAUSE, step="s", attempt=3)
    events = [record(StepFailed, CAUSE, step="s", attempt=2, error=StepError("x", "y"))]
    log.append(Unit(stream, 3, [*events, scheduled("c", attempt=3), started], owner=ME, process_id=Q))
    assert groups(connection) == [("c", Q, ME)]


def test_attempts_of_lost_and_leaving_workers_go_back_in_batches(connection, monkeypatch):
    monkeypatch.setattr(due_steps, "BATCH", 20)
    waiting(connection, "a", attempts=50)
    connection.execute("update due_steps set owner = %s", (OTHER,))
    assert [due_steps.release_lost(connection) for _ in range(4)] == [20, 20, 10, 0]
    connection.execute("update due_steps set owner = %s", (ME,))
    connection.execute("insert into workers (worker_id, host, pid, lease_until) values (%s, 'h', 1, 'infinity')", (ME,))
    assert due_steps.release_lost(connection) == 0
    assert [due_steps.release_all(connection, ME) for _ in range(3)] == [20, 20, 10]
    assert connection.execute("select count(*) as n from workers").fetchone() == {"n": 0}


def due_steps_of(connection, owner):
    return [(execution, step) for execution, step, _ in due_steps.held(connection, owner)]


def groups(connection):
    rows = connection.execute("select agent, process_id, owner from due_steps").fetchall()
    return [(row["agent"], row["process_id"], row["owner"]) for row in rows]
