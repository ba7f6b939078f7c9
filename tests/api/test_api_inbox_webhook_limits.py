"""Limits of webhooks of inboxes: the connections of one host, failing for a day, and a receiver that finds too much."""

import threading
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from scheduler.bells import AT_ONCE_PER_HOST, Bells
from tests.api.conftest import Installation
from tests.api.inbox_receiver import Receiver, run_claim, webhook_state
from tests.loopback import Reply

LATER = (
    "update inbox_webhooks set failing_since = now() - interval '%s', due_at = now() where failing_since is not null"
)


class Crowd:
    """Requests that wait at a receiver until `open` is set. at_once: how many were under way with each new one."""

    def __init__(self, receiver: Receiver) -> None:
        self.open = threading.Event()
        self.at_once: list[int] = [0]
        self._under_way = 0
        self._counting = threading.Lock()
        self._answer, receiver.answer = receiver.answer, self.answer  # type: ignore[method-assign]

    def answer(self, id: str, content: dict[str, Any]) -> Reply:
        with self._counting:
            self._under_way += 1
            self.at_once.append(self._under_way)
        self.open.wait(60)
        with self._counting:
            reply = self._answer(id, content)
            self._under_way -= 1
        return reply


def test_a_host_has_eight_connections_at_most_and_every_webhook_gets_its_turn(
    client: TestClient,
    installation: Installation,
    add: Callable[..., str],
    receiver: Receiver,
    bells: Callable[[], Bells],
) -> None:
    for n in range(10):
        add(f"{receiver.url}/{n}")
    run_claim(client, installation)
    crowd = Crowd(receiver)
    bells()
    installation.until(lambda: max(crowd.at_once) == AT_ONCE_PER_HOST)
    crowd.open.set()
    installation.until(lambda: len({id for id, _, _ in receiver.received}) == 2 and len(receiver.received) >= 20)
    assert max(crowd.at_once) == AT_ONCE_PER_HOST


def test_failing_for_a_day_suspends_and_413_makes_a_dead_delivery_at_once(
    client: TestClient,
    installation: Installation,
    add: Callable[..., str],
    receiver: Receiver,
    bells: Callable[[], Bells],
) -> None:
    path = add(receiver.url)
    receiver.status = 413
    bells()
    run_claim(client, installation)
    installation.until(lambda: webhook_state(client)["dead"] == 2)
    assert receiver.steps(413) == ["read", "decide"]
    receiver.proves = False
    assert client.delete(path).status_code == 200
    path = add(receiver.url)

    def fail_since(ago: str) -> None:
        installation.until(lambda: webhook_state(client)["state"] == "failing")
        with installation.datastore.reading() as connection:
            connection.execute(LATER % ago)
        tries = webhook_state(client)["tries"]
        installation.until(
            lambda: webhook_state(client)["tries"] > tries or webhook_state(client)["state"] != "failing"
        )

    fail_since("23 hours")
    assert webhook_state(client)["state"] == "failing"
    fail_since("25 hours")
    installation.until(lambda: webhook_state(client)["state"] == "suspended")
    # It waits for an operator, who resumes it.
    receiver.proves, receiver.status = True, 200
    assert client.post(f"{path}/retry", json={}).status_code == 200
    run_claim(client, installation)
    installation.until(lambda: len(receiver.steps()) == 2)
    assert webhook_state(client)["state"] == "active"
