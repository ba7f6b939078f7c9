"""The number of statements behind a page: bounded, and the same for one row as for many."""

from collections.abc import Callable

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation

ASKING = "name: asking\nsteps: [{id: ask, type: human_approval, title: Sure?}]\n"
WAITING = "name: waiting\nsteps: [{id: wait, type: timer, duration: 1h}]\n"
EVERY_HOUR = """name: hourly-{n}
triggers: [{{type: schedule, id: tick, every: 1h}}]
steps: [{{id: ask, type: human_approval, title: Sure?}}]
"""
KEYS = "originator_version, topic, state from stored_events"
"""Read anew after a second; the pool tries a connection that was idle by an empty statement."""
OF_THE_OVERVIEW = 18
OF_THE_FRAME = 1
OF_A_STEP = 12
"""Four of the execution, the freshness and six parts of its page together, and that of the frame."""


@pytest.fixture
def statements(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Returns the number of statements that the server gets for a page, once the keys are read."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(self: psycopg.Cursor, query: object, *arguments: object, **settings: object) -> psycopg.Cursor:
        sent.append(str(query))
        return execute(self, query, *arguments, **settings)  # type: ignore[arg-type]

    def of(path: str) -> int:
        client.get(path)
        sent.clear()
        assert client.get(path).status_code == 200
        return sum(1 for each in sent if each and KEYS not in each)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    return of


def test_the_overview_takes_as_many_statements_for_many_rows_as_for_one(
    client: TestClient, installation: Installation, statements: Callable[[str], int]
) -> None:
    for source in (GREETING, ASKING, WAITING):
        installation.publish(client, source, writer={"script": "echo"})
    numbers = []
    for schedules in (range(1), range(1, 5)):
        for n in schedules:
            installation.publish(client, EVERY_HOUR.format(n=n))
            client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
            client.post("/api/processes/waiting/executions", json={"input": {}})
            id = installation.begin(client, "asking")
            client.post(f"/api/approvals/{id}:ask:1/reject", json={"comment": "no"})
            installation.begin(client, "asking")
        installation.project()
        numbers.append(statements("/"))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= OF_THE_OVERVIEW
    page = client.get("/").text
    assert page.count('id="next-') == 5
    assert page.count("Sure?") == 5


def test_the_frame_of_a_page_takes_one_statement(installation: Installation, statements: Callable[[str], int]) -> None:
    installation.project()
    assert statements("/settings") == OF_THE_FRAME


def test_the_parts_of_the_page_of_a_step_are_read_together(
    client: TestClient, installation: Installation, statements: Callable[[str], int]
) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    id = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()["execution_id"]
    client.post(f"/api/executions/{id}/cancel", json={"reason": "no longer"}).raise_for_status()
    installation.project()
    assert statements(f"/executions/{id}?step=greet") == OF_A_STEP
