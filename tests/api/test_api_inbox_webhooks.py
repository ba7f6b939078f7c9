"""Webhooks of an inbox: the challenge, signed deliveries in order, retries, dead letters, and what is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from scheduler.bells import Bells
from tests.api.conftest import Installation
from tests.api.inbox_receiver import SECRET, Receiver, run_claim, webhook_state
from tests.ports import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "agents" / "webhook_inbox.py"


def test_entries_are_delivered_in_order_after_a_challenge_and_dead_ones_on_request(
    client: TestClient,
    installation: Installation,
    add: Callable[..., str],
    receiver: Receiver,
    bells: Callable[[], Bells],
) -> None:
    run_claim(client, installation)  # before the webhook: never delivered to it
    receiver.proves = False
    path = add(receiver.url)
    bells()
    run_claim(client, installation)
    installation.until(lambda: webhook_state(client)["tries"] >= 1)
    assert (webhook_state(client)["state"], receiver.received) == ("failing", [])
    assert "challenge" in webhook_state(client)["last_error"]
    receiver.proves = True
    installation.until(lambda: len(receiver.steps()) == 2)
    assert receiver.steps() == ["read", "decide"]
    id, content, _ = receiver.received[0]
    assert (id, content["type"], content["data"]["outcome"]) == (
        content["data"]["event_id"],
        "StepCompleted",
        "completed",
    )
    assert "secret words" not in json.dumps(content)
    # Each try has the same id; after the last one the delivery is dead, and the next one follows.
    receiver.status = 500
    run_claim(client, installation)
    installation.until(lambda: webhook_state(client)["dead"] == 2)
    tried = [id for id, _, status in receiver.received if status == 500]
    assert (len(tried), len(set(tried))) == (6, 2)
    letters = client.get(f"{path}/deliveries", params={"state": "dead"}).json()["items"]
    assert [each["event_id"] for each in letters] == sorted(set(tried), key=tried.index)
    assert letters[0]["tries"] == 3
    receiver.status = 200
    again = client.post(f"{path}/retry", json={})
    assert (again.status_code, again.json()["deliveries"]) == (200, 2)
    installation.until(lambda: webhook_state(client)["dead"] == 0)
    assert receiver.steps() == ["read", "decide"] * 2
    # A receiver that is gone is left alone until somebody resumes it.
    receiver.status = 410
    run_claim(client, installation)
    installation.until(lambda: webhook_state(client)["state"] == "suspended")
    receiver.status = 200
    assert client.post(f"{path}/retry", json={}).status_code == 200
    installation.until(lambda: len(receiver.steps()) == 6)
    assert receiver.steps(410) == ["read"]
    assert client.delete(path).status_code == 200
    assert client.get("/api/agents/archive/webhooks").json() == {"items": []}
    assert client.delete(path).json()["code"] == "webhook_not_found"


def test_a_worker_that_dies_delivers_again_under_the_same_id_and_loses_nothing(
    client: TestClient,
    installation: Installation,
    add: Callable[..., str],
    receiver: Receiver,
    bells: Callable[[], Bells],
) -> None:
    add(receiver.url)
    working = bells()
    run_claim(client, installation)
    installation.until(lambda: len(receiver.steps()) == 2)
    working.stop()
    with installation.datastore.reading() as connection:
        # As if the worker had died before it noted what it delivered.
        connection.execute("update inbox_webhooks set position = 0, read_until = 0, claimed_until = null")
    bells()
    installation.until(lambda: len(receiver.steps()) == 4)
    ids = [id for id, _, _ in receiver.received]
    assert ids[:2] == ids[2:]


def test_the_example_verifies_repeats_the_challenge_and_prints_each_entry_once(
    client: TestClient,
    installation: Installation,
    add: Callable[..., str],
    receiver: Receiver,
    bells: Callable[[], Bells],
) -> None:
    address = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "INBOX_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, str(EXAMPLE), address], env=environment, stdout=subprocess.PIPE, text=True
    ) as example:
        try:
            assert example.stdout is not None
            assert example.stdout.readline() == "ready\n"
            add(f"http://{address}/")
            bells()
            run_claim(client, installation)
            assert example.stdout.readline() == "claim: read completed\n"
            assert example.stdout.readline() == "claim: decide completed\n"
        finally:
            example.kill()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://169.254.169.254/latest", "secret": "${ORDERS_SECRET}"}, "address_denied"),
        ({"url": "ftp://files.example", "secret": "${ORDERS_SECRET}"}, "malformed"),
        ({"url": "https://a.example", "secret": "whsec_plain"}, "malformed"),
        ({"url": "https://a.example", "secret": "${OTHER}"}, "secret_not_allowed"),
        ({"url": "https://a.example:99999/x", "secret": "${ORDERS_SECRET}"}, "invalid_value"),
        ({}, "malformed"),
    ],
)
def test_an_address_or_a_secret_that_the_operator_does_not_allow_is_refused(
    client: TestClient, add: Callable[..., str], body: dict[str, str], code: str
) -> None:
    answer = client.post("/api/agents/archive/webhooks", json=body)
    assert answer.status_code == 422
    assert code in (answer.json()["code"], *(each["code"] for each in answer.json()["problems"]))


def test_webhooks_are_bounded_and_each_is_of_its_agent(client: TestClient, add: Callable[..., str]) -> None:
    paths = [add(f"https://a.example/{n}") for n in range(10)]
    body = {"url": "https://a.example/0", "secret": "${ORDERS_SECRET}"}
    again = client.post("/api/agents/archive/webhooks", json=body)
    assert (again.status_code, again.json()["duplicate"]) == (201, True)
    more = client.post("/api/agents/archive/webhooks", json={**body, "url": "https://a.example/11"})
    assert (more.status_code, more.json()["code"]) == (409, "too_many_webhooks")
    others = paths[0].replace("archive", "ledger")
    assert client.delete(others).status_code == client.get(f"{others}/deliveries").status_code == 404
    assert client.get("/api/agents/nobody/webhooks").status_code == 404
