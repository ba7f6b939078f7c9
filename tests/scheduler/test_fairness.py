"""Fair claims on a real worker: a slow agent, a limited agent and a long queue keep no other execution waiting."""

from uuid import UUID

import pytest

from domain.executions.events.step import StepCompleted
from store.lists.turns import MAX_GROUPS, NO_PROCESS
from tests.counting_agent import counting_agent

SLOW = "name: slow\nsteps: [{id: a, agent: slow, message: m}]\n"
QUICK = "name: quick\nsteps: [{id: a, agent: quick, message: m}, {id: b, agent: quick, message: m, depends_on: a}]\n"
FAN = (
    "name: fan\nsteps:\n  - {id: begin, agent: free, message: m}\n"
    + "".join(f"  - {{id: s{n}, agent: bound, message: m, depends_on: begin}}\n" for n in range(8))
    + "".join(f"  - {{id: t{n}, agent: bound, message: m, depends_on: s{n}}}\n" for n in range(8))
)


@pytest.fixture
def slow(installation):
    """An agent that answers nothing while a test runs."""
    installation.agent("slow", script="slow", delay="1h")
    installation.publish(SLOW)


@pytest.fixture
def bound(installation, tmp_path):
    """An agent with a limit, a process of it, and the record of its calls."""
    installation.agent("bound", script="echo", max_open=1, record=str(tmp_path / "calls"), delay="1ms")
    installation.agent("free", script="echo")
    installation.publish(FAN)
    return tmp_path / "calls"


def test_an_instant_agent_answers_while_every_call_of_a_slow_one_is_open_or_waits(installation, slow):
    installation.agent("quick", script="echo")
    installation.publish(QUICK)
    waiting = [installation.start("slow") for _ in range(40)]
    worker = installation.worker(max_open=20, lease=60)
    installation.until(lambda: worker.open_calls == 17)
    quick = installation.ended(*[installation.start("quick") for _ in range(10)])
    assert {execution.status for execution in quick} == {"completed"}
    assert (worker.open_calls, installation.left("due_steps")) == (17, 40)
    assert [event for id in waiting for event in installation.log.stream(id) if isinstance(event, StepCompleted)] == []
    for id in waiting:
        installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)


def test_an_agent_answers_at_once_while_ten_others_never_end(installation):
    names = [f"busy-{n}" for n in range(10)]
    for name in names:
        installation.agent(name, script="slow", delay="1h")
        installation.publish(f"name: {name}\nsteps: [{{id: a, agent: {name}, message: m}}]\n")
    installation.agent("quick", script="echo")
    installation.publish(QUICK)
    worker = installation.worker(max_open=100, lease=60)
    busy = []
    for n, name in enumerate(names):
        busy += [installation.start(name) for _ in range(100 if n == 0 else 20)]
        installation.until(lambda name=name: worker._dispatcher._desk.capacity.open.of.get(name, 0) > 0)
    quick = installation.ended(*[installation.start("quick") for _ in range(3)])
    assert {execution.status for execution in quick} == {"completed"}
    for id in busy:
        installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)


def test_a_worker_holds_no_more_calls_of_an_agent_than_its_limit_even_of_one_execution(installation, bound):
    worker = installation.worker(lease=60)
    calling = worker._dispatcher.calling
    most = 0

    def ended():
        nonlocal most
        most = max(most, len([step for _, step, _ in calling.attempts() if step != "begin"]))
        return all(installation.state(id).ended_at for id in ids)

    ids = [installation.start("fan") for _ in range(3)]
    installation.until(ended)
    assert most == 1
    assert len(set(bound.read_text().split())) == 48


def test_the_processes_of_a_limited_agent_take_turns(installation, bound):
    installation.publish(SLOW.replace("agent: slow", "agent: bound"))
    many = [installation.start("slow") for _ in range(30)]
    installation.publish(QUICK.replace("quick", "bound"))
    one = installation.start("bound")
    installation.worker(lease=60)
    installation.ended(one, *many)
    calls = [UUID(key.partition(":")[0]) for key in bound.read_text().split()]
    assert calls.index(one) <= 2
    assert calls[: calls.index(one) + 5].count(one) == 2


def test_rows_that_a_worker_of_the_release_before_wrote_keep_to_the_limit_too(installation):
    with counting_agent() as counted:
        counted.takes = 0.01
        installation.agent("bound", kind="http", url=counted.url, max_open=1)
        installation.publish(SLOW.replace("agent: slow", "agent: bound"))
        ids = [installation.start("slow") for _ in range(20)]
        installation.rows("update due_steps set agent = '', process_id = %s", NO_PROCESS)
        installation.worker(lease=60)
        installation.ended(*ids)
    assert (len(counted.begun), counted.most_open) == (20, 1)


def test_a_limit_that_is_raised_holds_for_calls_that_wait(installation, slow):
    def limit(most):
        installation.agent("slow", script="slow", delay="1h", **({"max_open": most} if most else {}))

    limit(2)
    ids = [installation.start("slow") for _ in range(9)]
    worker = installation.worker(lease=60)
    installation.until(lambda: worker.open_calls == 2)
    limit(5)
    installation.until(lambda: worker.open_calls == 5)
    limit(None)
    installation.until(lambda: worker.open_calls == 9)
    for id in ids:
        installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)


def test_more_agents_without_room_than_one_claim_walks_past_hide_no_one(installation, tmp_path):
    names = [f"full-{n:02}" for n in range(MAX_GROUPS + 6)]
    for name in names:
        installation.agent(name, script="slow", delay="1h", max_open=1)
    steps = "".join(f"  - {{id: s{n}, agent: {name}, message: m}}\n" for n, name in enumerate(names))
    installation.publish(f"name: many\nsteps:\n{steps}")
    installation.agent("quick", script="echo")
    installation.publish(QUICK)
    many = [installation.start("many") for _ in range(2)]
    worker = installation.worker(lease=60)
    installation.until(lambda: worker.open_calls == len(names))
    assert installation.ended(installation.start("quick"))[0].status == "completed"
    for id in many:
        installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)
