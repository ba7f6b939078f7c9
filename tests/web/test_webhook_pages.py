"""The page of an agent's webhooks: added, failing, tried again and removed, each as a form sends it."""

import re
from uuid import UUID

from starlette.testclient import TestClient

from store import inbox_webhooks
from tests.api.conftest import Installation

WATCHED = """
name: watched
steps:
  - {id: read, agent: clerk, message: Read, roles: {informed: [archive]}}
"""
URL = "https://hooks.example.com/secret-path"


def test_a_person_adds_tries_again_and_removes_a_webhook(client: TestClient, installation: Installation) -> None:
    installation.publish(client, WATCHED, clerk={"script": "echo"}, archive={"script": "echo"})
    installation.project()
    assert "No webhook" in client.get("/agents/archive/webhooks").text
    refused = client.post("/agents/archive/webhooks", data={"url": "ftp://x", "secret": "whsec_plain"})
    assert refused.status_code == 422
    assert "Nothing was added." in refused.text
    assert client.get("/api/agents/archive/webhooks").json()["items"] == []

    added = client.post(
        "/agents/archive/webhooks", data={"url": URL, "secret": "${ORDERS_SECRET}"}, follow_redirects=True
    )
    assert added.status_code == 200
    assert f'<span class="mono">{URL}</span>' in added.text
    [id] = re.findall(r'id="webhook-([0-9a-f-]{36})"', added.text)
    with installation.datastore.reading() as connection:
        inbox_webhooks.died(connection, UUID(id), f"{id}:2", 2, 6, "<b>410</b>")

    dead = client.get(f"/agents/archive/webhooks?webhook={id}").text
    assert "&lt;b&gt;410&lt;/b&gt;" in dead
    assert f'value="{id}:2"' in dead
    again = client.post(
        f"/agents/archive/webhooks/{id}/retry", data={"event_id": f"{id}:2"}, follow_redirects=True
    ).text
    assert "is tried again" in again
    assert [each["retry"] for each in client.get(f"/api/agents/archive/webhooks/{id}/deliveries").json()["items"]] == [
        True
    ]

    removed = client.post(f"/agents/archive/webhooks/{id}/remove", data={"sure": "yes"}, follow_redirects=True)
    assert "No webhook" in removed.text
    assert client.get("/agents/nobody/webhooks").status_code == 404


def test_operators_try_again_and_read_no_more_than_the_host(client: TestClient, installation: Installation) -> None:
    installation.publish(client, WATCHED, clerk={"script": "echo"}, archive={"script": "echo"})
    made = client.post("/api/agents/archive/webhooks", json={"url": URL, "secret": "${ORDERS_SECRET}"}).json()
    with installation.datastore.reading() as connection:
        inbox_webhooks.died(connection, UUID(made["webhook_id"]), "gone:2", 2, 6, "refused")
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    operator = {"name": "olga", "scopes": ["operator"]}
    key = client.post("/api/keys", json=operator, headers={"Authorization": f"Bearer {root}"}).json()["key"]
    of_operator = {"Authorization": f"Bearer {key}"}
    installation.until(lambda: client.get("/", headers=of_operator).status_code == 200)
    page = client.get("/agents/archive/webhooks", headers=of_operator).text
    assert "https://hooks.example.com<" in page
    assert "secret-path" not in page
    assert "Try all again" in page
    assert "Add the webhook" not in page
