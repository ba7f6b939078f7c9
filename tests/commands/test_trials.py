"""A trial goes out by the rules of workers: addresses are denied, and secrets never come back."""

from collections.abc import Iterator

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
from tests.loopback import Posted, Reply, answering

SECRET = "a-secret-value-of-tests"
NAMES = read_secret_names("TRIAL_KEY")


def echo(posted: Posted) -> Reply:
    """Repeat the secret that was sent, or answer that the answer comes later."""
    status = 202 if b"later" in posted.body else 200
    return Reply(status, f"you sent {posted.headers['authorization']}".encode(), {"content-type": "text/plain"})


@pytest.fixture
def url() -> Iterator[str]:
    with answering(echo) as url:
        yield url


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
