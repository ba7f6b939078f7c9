"""Two workers and an agent that counts: its limits hold for both together, and a pause that one receives for all."""

import pytest

from tests.counting_agent import counting_agent

RUN = "name: run\nsteps:\n  - {id: a, agent: counted, message: m, retry: {max_attempts: 3, delay: 10ms}}\n"
FREE = "name: free\nsteps:\n  - {id: a, agent: echo, message: m}\n"


@pytest.fixture
def counted(installation):
    with counting_agent() as agent:
        installation.agent("echo", script="echo")
        installation.publish(FREE)
        yield agent


def begin(installation, counted, executions, **limits):
    installation.agent("counted", kind="http", url=counted.url, **limits)
    installation.publish(RUN)
    for _ in range(2):
        installation.worker(lease=60)
    return [installation.start("run") for _ in range(executions)]


def test_two_workers_call_no_more_often_than_the_rate_and_others_do_not_wait(installation, counted):
    begin(installation, counted, 20, rate={"calls": 6, "per": "1h"})
    installation.until(lambda: len(counted.begun) == 6)
    free = installation.ended(*[installation.start("free") for _ in range(10)])
    assert {execution.status for execution in free} == {"completed"}
    assert (len(counted.begun), installation.left("due_steps")) == (6, 14)


def test_calls_that_wait_for_the_rate_begin_when_it_admits_them(installation, counted):
    """Twenty calls, six of them in two seconds: the last ones begin after three periods."""
    ended = installation.ended(*begin(installation, counted, 20, rate={"calls": 6, "per": "2s"}))
    assert {execution.status for execution in ended} == {"completed"}
    assert (len(counted.begun), installation.left("due_steps")) == (20, 0)
    assert max(counted.begun) - min(counted.begun) > 4


def test_two_workers_together_have_no_more_open_than_the_limit(installation, counted):
    counted.takes = 0.1
    runs = begin(installation, counted, 40, max_open=3)
    installation.ended(*runs)
    assert (counted.most_open, len(counted.begun)) == (3, 40)


def test_a_worker_that_stops_leaves_its_part_of_the_limit_to_the_other(installation, counted):
    counted.takes = 0.05
    runs = begin(installation, counted, 30, max_open=2)
    installation.until(lambda: len(counted.begun) >= 5)
    installation.workers.pop(0).stop()
    installation.ended(*runs)
    assert counted.most_open <= 2
    assert sorted(set(counted.keys)) == sorted(f"{id}:a:1" for id in runs)


def test_calls_use_no_more_tokens_in_a_minute_than_the_limit(installation, counted):
    counted.tokens = 100
    runs = begin(installation, counted, 30, tokens={"per_minute": 1000})
    installation.until(lambda: len(counted.begun) >= 10)
    installation.until(lambda: installation.rows("select agent from agent_limits where free_at > now()"))
    free = installation.ended(*[installation.start("free") for _ in range(5)])
    assert {execution.status for execution in free} == {"completed"}
    assert len(counted.begun) == 10
    for id in runs:
        if installation.state(id).ended_at is None:
            installation.cancel(id)


def test_a_pause_that_one_worker_receives_holds_for_all_workers(installation, counted):
    counted.refusals, counted.retry_after, counted.takes = 1, 2, 0.01
    installation.agent("counted", kind="http", url=counted.url)
    installation.publish(RUN)
    for _ in range(2):
        installation.worker(lease=60)
    first = installation.start("run")
    installation.until(lambda: installation.rows("select agent from agent_limits where paused_until > now()"))
    others = [installation.start("run") for _ in range(10)]
    ended = installation.ended(first, *others)
    assert {execution.status for execution in ended} == {"completed"}
    assert len(counted.begun) == 12
    assert counted.begun[1] - counted.begun[0] >= 1.9, "no worker calls it before the pause is over"


def test_a_change_of_limits_applies_to_the_next_call(installation, counted):
    runs = begin(installation, counted, 6, rate={"calls": 1, "per": "1h"})
    installation.until(lambda: len(counted.begun) == 1)
    assert installation.rows("select agent from agent_limits where free_at > now()") == [{"agent": "counted"}]
    installation.agent("counted", kind="http", url=counted.url)
    installation.ended(*runs)
    assert len(counted.begun) == 6
