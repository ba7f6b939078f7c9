"""A page of an inbox scans a bounded part of it: a filter that seldom matches makes more pages, and loses nothing."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Installation

SEVEN = """
name: seven
labels: [%s]
steps: [{id: work, agent: writer, message: go, roles: {informed: [archive]}}]
"""


def test_a_filter_that_seldom_matches_makes_short_pages_up_to_what_matches(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.inbox.scanning.SCANNED", 3)
    monkeypatch.setattr("queries.inbox.scanning.LEAST", 3)
    installation.publish(client, SEVEN % "often", writer={"script": "echo"}, archive={"script": "echo"})
    assert client.put("/api/agents/archive/inbox/filter", json={"labels": ["seldom"]}).status_code == 200

    def run(times: int) -> str:
        for _ in range(times):
            installation.answer(execution := installation.begin(client, "seven"), "work")
        installation.project()
        return str(execution)

    run(7)
    changed = client.put("/api/processes/seven", content=SEVEN % "seldom", headers={"Content-Type": "application/yaml"})
    assert changed.status_code == 200, changed.text
    assert client.post("/api/processes/seven/publish").status_code == 200
    expected = [run(1), run(1)]
    path, cursor = "/api/agents/archive/inbox", None
    assert client.get(f"{path}/state").json()["pending_more"] is True
    found: list[str] = []
    pages = 0
    while True:
        page = client.get(path, params={} if cursor is None else {"cursor": cursor}).json()
        assert page["cursor"] != cursor
        pages, cursor = pages + 1, page["cursor"]
        found += [each["execution_id"] for each in page["items"]]
        if not page["has_more"]:
            break
    assert (found, pages) == (expected, 3)
    lines = client.get("/api/agents/archive/memory").text.splitlines()
    assert len(lines) == 2
    entry = page["items"][-1]["event_id"]
    assert client.get(f"{path}/{entry}").json()["entry"]["execution_id"] == expected[1]
    waited = client.get(path, params={"cursor": cursor, "wait": "1s"}).json()
    assert (waited["items"], waited["has_more"]) == ([], False)
    assert client.put("/api/agents/archive/inbox/filter", json={"outcomes": ["failed"]}).status_code == 200
    run(1)
    assert client.get(path, params={"cursor": cursor}).json()["items"] == []
