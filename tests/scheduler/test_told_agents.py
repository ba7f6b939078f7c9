"""An agent that answered 202 is told when its attempt is given up, whoever gave it up, and until it knows."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROCESS = "name: {name}\nsteps:\n  - {{id: a, agent: later, message: go, timeout: {timeout}}}\n"


class _Agent(BaseHTTPRequestHandler):
    """Takes every call to answer it later, and keeps what it is told; `refusals` tells are answered with 503 first."""

    told: "queue.SimpleQueue[dict]"
    refusals: int

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = 202
        if self.path == "/stop":
            status = 503 if type(self).refusals else 204
            type(self).refusals = max(0, type(self).refusals - 1)
            self.told.put(body)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Tests are silent."""


@pytest.fixture
def told(installation):
    """What the agent `later` is told."""
    agent = type("Agent", (_Agent,), {"told": queue.SimpleQueue(), "refusals": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), agent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    installation.agent("later", kind="http", url=f"{base}/run", cancel_url=f"{base}/stop")
    yield agent
    server.shutdown()
    server.server_close()


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
