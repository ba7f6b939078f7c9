"""Callers that wait for inboxes share one query: an entry wakes those whom it concerns, and the others read nothing."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from edge import inbox as reading_of_inboxes
from queries.inbox.concerned import list_concerned
from tests.api.conftest import Installation

WAITING = 20
INFORMED = ", ".join(f"waits-{n}" for n in range(WAITING))
TWO = f"""
name: two
steps:
  - {{id: one, agent: writer, message: go, roles: {{informed: [archive]}}}}
  - {{id: other, agent: writer, message: go, roles: {{informed: [{INFORMED}]}}}}
"""


def test_an_entry_wakes_those_whom_it_concerns_and_the_others_read_nothing(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = ["writer", "archive", *(f"waits-{n}" for n in range(WAITING))]
    installation.publish(client, TWO, **{each: {"script": "echo"} for each in agents})
    installation.project()
    installation.progress.start()
    pages: Counter[str] = Counter()
    rounds: list[int] = []
    get_inbox, concerned = reading_of_inboxes.get_inbox, list_concerned

    def counted(reading: Any, agent: str, **given: Any) -> Any:
        pages[agent] += 1
        return get_inbox(reading, agent, **given)

    def round(reading: Any, after: int) -> Any:
        rounds.append(after)
        return concerned(reading, after)

    monkeypatch.setattr("edge.inbox.get_inbox", counted)
    monkeypatch.setattr("edge.inbox_rounds.list_concerned", round)

    def wait(agent: str) -> list[Any]:
        answer = client.get(f"/api/agents/{agent}/inbox", params={"wait": "60s"})
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items

    def archived() -> list[Any]:
        found = wait("archive")
        cursor = client.get("/api/agents/archive/inbox").json()["cursor"]
        client.post("/api/agents/archive/inbox/ack", json={"cursor": cursor})
        return found

    with ThreadPoolExecutor(WAITING + 1) as pool:
        waiting = [pool.submit(wait, f"waits-{n}") for n in range(WAITING)]
        installation.until(lambda: len(pages) == WAITING)
        for _ in range(3):
            archive = pool.submit(archived)
            installation.answer(execution := installation.begin(client, "two"), "one")
            installation.project()
            assert [each["step"] for each in archive.result(60)] == ["one"]
        assert {pages[f"waits-{n}"] for n in range(WAITING)} == {1}
        installation.answer(execution, "other")
        installation.project()
        assert all([each["step"] for each in found.result(60)] == ["other"] for found in waiting)
    installation.progress.stop()
    assert {pages[f"waits-{n}"] for n in range(WAITING)} == {2}
    assert rounds == sorted(rounds)
