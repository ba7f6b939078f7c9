"""The gateway: many open calls, each delivered once; cancelling and closing."""

import asyncio
import resource
import threading
from datetime import timedelta

import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import Completed
from gateway.gateway import AgentGateway

MANY = 1000


@pytest.fixture
def many_files():
    """Leave to open a socket for both ends of every call."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MANY + 500
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_calls_are_open_at_once_and_all_are_answered(rig, many_files):
    everybody = asyncio.Event()

    async def when_all_are_here(request):
        if len(rig.server.requests) == MANY:
            everybody.set()
        await everybody.wait()
        return rig.response(200, {"output": request.json["step"]})

    rig.server.respond = when_all_are_here
    config = rig.http(deadline="240s")
    for number in range(MANY):
        rig.gateway.begin(rig.call(step=f"s{number}"), config, rig.deliveries)

    answers = [rig.deliveries.next_pair() for _ in range(MANY)]

    assert {call.step for call, _ in answers} == {f"s{number}" for number in range(MANY)}
    assert all(answer == Completed(call.step) for call, answer in answers)
    assert rig.gateway.open_calls() == 0
    assert rig.deliveries.empty()


def test_beginning_a_call_does_not_wait_for_it(rig):
    release = asyncio.Event()

    async def wait(request):
        await release.wait()
        return rig.response(200, {"output": 1})

    rig.server.respond = wait
    rig.gateway.begin(rig.call(), rig.http(), rig.deliveries)
    assert rig.gateway.open_calls() == 1
    assert rig.deliveries.empty()
    rig.server.loop.call_soon_threadsafe(release.set)
    assert rig.deliveries.next() == Completed(1)


def test_calls_above_the_limit_wait_for_a_place(server, rig):
    gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base=None, max_open=2)
    here, most = [], []

    async def count(request):
        here.append(request)
        most.append(len(here))
        await asyncio.sleep(0.01)
        here.pop()
        return rig.response(200, {"output": 1})

    server.respond = count
    for attempt in range(1, 9):
        gateway.begin(rig.call(attempt=attempt), rig.http(), rig.deliveries)
    assert [rig.deliveries.next() for _ in range(8)] == [Completed(1)] * 8
    assert max(most) == 2
    gateway.close(grace=timedelta())


def test_a_cancelled_call_is_hung_up_and_never_delivered(rig):
    arrived = threading.Event()

    async def never(request):
        arrived.set()
        await asyncio.Event().wait()

    rig.server.respond = never
    rig.gateway.begin(rig.call(), rig.http(), rig.deliveries)
    assert arrived.wait(60)

    rig.gateway.cancel(rig.execution_id, "write", 1)

    assert rig.gateway.open_calls() == 0
    assert rig.server.closed_by_peer.wait(60)
    rig.gateway.close(grace=timedelta(seconds=60))
    assert rig.deliveries.empty()


def test_a_call_cancelled_before_it_started_can_be_begun_again(rig):
    config = rig.config(kind="scripted", script="slow", delay="1ms", usage="none")
    for _ in range(50):
        rig.gateway.begin(rig.call("given up"), config, rig.deliveries)
        rig.gateway.cancel(rig.execution_id, "write", 1)
        rig.gateway.begin(rig.call("kept"), config, rig.deliveries)
        assert rig.deliveries.next() == Completed("kept")
    rig.gateway.close(grace=timedelta(seconds=60))
    assert rig.deliveries.empty()


def test_cancelling_what_is_not_open_does_nothing(rig):
    rig.gateway.cancel(rig.execution_id, "write", 1)
    assert rig.ask(rig.config(kind="scripted", script="echo", usage="none")) == Completed("hello there")


def test_an_attempt_that_is_open_is_not_called_again(rig):
    release = asyncio.Event()

    async def wait(request):
        await release.wait()
        return rig.response(200, {"output": 1})

    rig.server.respond = wait
    config = rig.http()
    rig.gateway.begin(rig.call(), config, rig.deliveries)
    rig.gateway.begin(rig.call(), config, rig.deliveries)
    rig.server.loop.call_soon_threadsafe(release.set)
    assert rig.deliveries.next() == Completed(1)
    rig.gateway.close(grace=timedelta(seconds=60))
    assert rig.deliveries.empty()
    assert len(rig.server.requests) == 1


def test_closing_waits_for_open_calls(rig):
    config = rig.config(kind="scripted", script="slow", delay="100ms", usage="none")
    rig.gateway.begin(rig.call("done"), config, rig.deliveries)
    rig.gateway.close(grace=timedelta(seconds=60))
    assert rig.deliveries.next() == Completed("done")


def test_closing_gives_up_what_takes_longer_than_the_grace(rig):
    config = rig.config(kind="scripted", script="slow", delay="1h")
    rig.gateway.begin(rig.call(), config, rig.deliveries)
    rig.gateway.close(grace=timedelta(milliseconds=10))
    assert rig.deliveries.empty()
    assert rig.gateway.open_calls() == 0


def test_nothing_begins_after_closing(rig):
    rig.gateway.close(grace=timedelta())
    rig.gateway.close(grace=timedelta())
    for script in ("echo", "slow"):
        with pytest.raises(RuntimeError, match="closed"):
            rig.gateway.begin(rig.call(), rig.config(kind="scripted", script=script), rig.deliveries)


def test_a_fault_inside_the_worker_is_logged_and_still_delivered(rig, caplog):
    half_a_surrogate_pair = "\ud800"  # cannot be written as JSON, and is refused long before it becomes a message
    error = rig.ask(rig.http(), rig.call(half_a_surrogate_pair)).error
    assert (error.code, error.permanent) == ("gateway_error", False)
    assert "calling agent writer failed" in caplog.text
    assert rig.gateway.open_calls() == 0


def test_a_new_configuration_counts_from_the_next_call(rig):
    for answer in ("first", "second"):
        config = rig.config(kind="scripted", script="answers", answers=[answer], usage="none")
        assert rig.ask(config) == Completed(answer)


def test_a_configuration_that_cannot_be_read_is_a_permanent_failure(rig):
    error = rig.ask({"kind": "telepathy"}).error
    assert (error.code, error.permanent) == ("agent_misconfigured", True)
