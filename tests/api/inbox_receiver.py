"""A receiver of webhooks on loopback, and the worker's part that delivers to it, for tests of webhooks of inboxes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import Completed
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import read_secret_names
from queries.reading import Reading
from scheduler.bells import Bells, Patience
from tests.loopback import Posted, Reply, answering

if TYPE_CHECKING:
    from tests.api.conftest import Installation

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CLAIM = """
name: claim
steps:
  - {id: read, agent: writer, message: Read, roles: {informed: [archive]}}
  - {id: decide, agent: writer, message: Decide, depends_on: [read], roles: {informed: [archive]}}
"""
AGENTS: dict[str, dict[str, Any]] = {each: {"script": "echo"} for each in ("writer", "archive", "ledger")}
SOON = Patience(tuple(timedelta(milliseconds=1) for _ in range(2)))


class Receiver:
    """A receiver on loopback, which verifies each signature. status: of its answers to entries. proves: it repeats
    challenges.
    """

    def __init__(self) -> None:
        self.status = 200
        self.proves = True
        self.received: list[tuple[str, dict[str, Any], int]] = []
        self.url = ""

    def take(self, posted: Posted) -> Reply:
        return self.answer(posted.headers["webhook-id"], Webhook(SECRET).verify(posted.body, posted.headers))

    def answer(self, id: str, content: dict[str, Any]) -> Reply:
        if content["type"] == "verification":
            return Reply(200, {"challenge": content["challenge"] if self.proves else "?"})
        self.received.append((id, content, self.status))
        return Reply(self.status)

    def steps(self, status: int = 200) -> list[str]:
        """The steps of which it was informed, in order, where it answered with this status."""
        return [content["data"]["step"] for _, content, answered in self.received if answered == status]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("ORDERS_SECRET", SECRET)
    made = Receiver()
    with answering(made.take) as url:
        made.url = f"{url}hook"
        yield made


@pytest.fixture
def bells(installation: "Installation") -> Iterator[Callable[[], Bells]]:
    """Start a worker's delivery, with little patience."""
    started: list[Bells] = []

    def starting() -> Bells:
        reading = Reading(installation.datastore, installation.progress)
        policy = OutgoingPolicy(read_secret_names("ORDERS_SECRET"))
        made = Bells(installation.datastore, reading, SYSTEM_CLOCK, policy, SOON)
        made.start()
        started.append(made)
        return made

    yield starting
    for each in started:
        each.stop()


@pytest.fixture
def add(client: TestClient, installation: "Installation") -> Callable[..., str]:
    """Add a webhook of the agent that is informed; its path."""
    installation.publish(client, CLAIM, **AGENTS)
    installation.project()

    def adding(url: str) -> str:
        body = {"url": url, "secret": "${ORDERS_SECRET}"}
        answer = client.post("/api/agents/archive/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        return f"/api/agents/archive/webhooks/{answer.json()['webhook_id']}"

    return adding


def webhook_state(client: TestClient) -> dict[str, Any]:
    [item] = client.get("/api/agents/archive/webhooks").json()["items"]
    return dict(item)


def run_claim(client: TestClient, installation: "Installation") -> None:
    execution = installation.begin(client, "claim")
    installation.answer(execution, "read", Completed({"secret words": "x" * 100}))
    installation.answer(execution, "decide")
    installation.project()
