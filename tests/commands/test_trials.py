"""A trial goes out by the rules of workers: addresses are denied, and secrets never come back."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.clock import SYSTEM_CLOCK
from commands.agents import Agents, RegisterAgent
from commands.trials import AgentTrial, TrialAnswer, Trials
from domain.agents.address_entries import read_entries
from domain.agents.addresses import AddressRules
from domain.agents.kinds import parse_agent
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import read_secret_names
from tests.commands.scenario import Scenario

SECRET = "a-secret-value-of-tests"
NAMES = read_secret_names("TRIAL_KEY")


class Echoing(BaseHTTPRequestHandler):
    """Repeats the secret that it was sent, or answers that it will answer later."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        self.send_response(202 if b"later" in body else 200)
        self.send_header("Content-Type", "text/plain")
        answer = f"you sent {self.headers['Authorization']}".encode()
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Echoing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def tried(scenario: Scenario, url: str, policy: OutgoingPolicy, message: str = "hello") -> TrialAnswer:
    config = parse_agent("echo", {"kind": "http", "url": url, "headers": {"Authorization": "Bearer ${TRIAL_KEY}"}})
    agents = Agents(scenario.log, OutgoingPolicy(NAMES))
    scenario.after(agents.register, RegisterAgent("echo", config))
    trials = Trials(agents, SYSTEM_CLOCK, policy)
    try:
        return trials.run("echo", AgentTrial(message, timeout_seconds=60), "user:ann")
    finally:
        trials.close()


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_KEY", SECRET)


def test_a_secret_that_comes_back_is_masked(scenario: Scenario, url: str) -> None:
    answer = tried(scenario, url, OutgoingPolicy(NAMES))
    assert (answer.outcome, answer.output) == ("completed", "you sent Bearer ***")


def test_an_agent_that_answers_later_is_not_awaited(scenario: Scenario, url: str) -> None:
    assert tried(scenario, url, OutgoingPolicy(NAMES), "later").outcome == "accepted"


def test_a_denied_address_is_not_called(scenario: Scenario, url: str) -> None:
    denied = OutgoingPolicy(NAMES, AddressRules(None, read_entries("127.0.0.0/8")))
    answer = tried(scenario, url, denied)
    assert answer.error is not None
    assert answer.error.code == "address_denied"
