"""An agent that answered 202 is told when its attempt is given up, whoever gave it up, and until it knows."""

import queue

import pytest

from tests.loopback import Reply, answering

PROCESS = "name: {name}\nsteps:\n  - {{id: a, agent: later, message: go, timeout: {timeout}}}\n"


class Later:
    """Takes every call to answer it later, and keeps what it is told; `refusals` tells are answered with 503 first."""

    def __init__(self):
        self.told, self.refusals = queue.SimpleQueue(), 0

    def answer(self, posted):
        if posted.path != "/stop":
            return Reply(202)
        status = 503 if self.refusals else 204
        self.refusals = max(0, self.refusals - 1)
        self.told.put(posted.json)
        return Reply(status)


@pytest.fixture
def told(installation):
    """What the agent `later` is told."""
    agent = Later()
    with answering(agent.answer) as url:
        installation.agent("later", kind="http", url=f"{url}run", cancel_url=f"{url}stop")
        yield agent


def accepted(installation, timeout):
    name = f"p{timeout}"
    installation.publish(PROCESS.format(name=name, timeout=timeout))
    id = installation.start(name)
    installation.until(lambda: "StepAccepted" in installation.topics(id))
    return id


def outbox(installation):
    with installation.datastore.reading() as connection:
        return connection.execute("select count(*) as n from outbox").fetchone()["n"]


def test_of_a_timeout(installation, told):
    installation.worker()
    id = accepted(installation, "1s")
    body = told.told.get(timeout=120)
    assert (body["execution_id"], body["step"], body["attempt"], body["reason"]) == (str(id), "a", 1, "step_timed_out")
    installation.until(lambda: outbox(installation) == 0)


def test_of_a_cancellation_that_no_worker_decided(installation, told):
    installation.worker()
    id = accepted(installation, "1h")
    installation.cancel(id)
    assert told.told.get(timeout=120)["reason"] == "execution_cancelled"
    installation.until(lambda: outbox(installation) == 0)


def test_again_when_it_was_in_trouble(installation, told):
    told.refusals = 1
    installation.worker()
    installation.cancel(accepted(installation, "1h"))
    first, second = told.told.get(timeout=120), told.told.get(timeout=20)
    assert first == second
    installation.until(lambda: outbox(installation) == 0)
