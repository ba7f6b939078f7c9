"""Positions that callers hold, after the log has lost its last events: refused, with the present end of the log."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from queries.paging import write_cursor

BEFORE, LOST = "0123456789ab", "ba9876543210"


@pytest.fixture
def client(installation: Any) -> Any:
    with TestClient(installation.app) as opened:
        yield opened


@pytest.fixture
def end(installation: Any, start: Callable[[], object]) -> int:
    """The end of a log of which the epoch `BEFORE` had lost all beyond position 5."""
    start()
    position: int = installation.project()
    with installation.datastore.reading() as connection:
        connection.execute("update log_epochs set number = 2, begins_at = 5")
        connection.execute(
            "insert into log_epochs (number, epoch_id, system_identifier, timeline, begins_at)"
            " values (1, %s, 'before', 1, 0)",
            (BEFORE,),
        )
    installation.datastore.connect().close()
    return position


def present(client: TestClient) -> Any:
    return client.get("/health/ready").json()["epoch"]


def went_back(answer: Any, client: TestClient, end: int) -> bool:
    found = answer.json()
    stated = (answer.status_code, found["code"], found["position"], found["epoch"])
    return stated == (409, "log_went_back", end, present(client)["epoch"])


def test_answers_and_health_state_the_epoch(client: TestClient, installation: Any, end: int) -> None:
    epoch = installation.datastore.epochs.current
    assert present(client) == {
        "epoch": epoch.epoch_id,
        "number": 2,
        "begins_at": 5,
        "begun_at": present(client)["begun_at"],
        "timeline": epoch.timeline,
        "system_identifier": epoch.system_identifier,
    }
    answers = [client.get("/api/executions"), client.post("/api/executions/nothing/cancel"), client.get("/health/live")]
    assert {answer.headers["procession-epoch"] for answer in answers} == {epoch.epoch_id}


def test_a_position_is_refused_if_its_epoch_has_lost_it(client: TestClient, end: int) -> None:
    def at(position: int, epoch: str, name: str = "min_position", path: str = "/api/executions") -> Any:
        return client.get(path, params={name: position, "epoch": epoch})

    assert at(5, BEFORE).status_code == 200
    assert went_back(at(6, BEFORE), client, end)
    assert went_back(at(end, LOST), client, end)
    assert at(end, present(client)["epoch"]).status_code == 200
    assert client.get("/api/executions", params={"min_position": end}).status_code == 200
    assert at(end, "not an epoch").status_code == 400
    assert at(5, BEFORE, "after", "/api/events").status_code == 200
    assert went_back(at(6, BEFORE, "after", "/api/events"), client, end)


def test_a_position_without_epoch_that_no_log_has_is_refused_too(client: TestClient, end: int) -> None:
    """No answer states a position before the log has it, so it is of an epoch that is over."""
    assert went_back(client.get("/api/executions", params={"min_position": end + 1}), client, end)


LISTS = {
    "/api/events": ("l", "{}"),
    "/api/approvals": ("p", "{}"),
    "/api/dead-letters": ("d", "2026-01-01T00:00:00+00:00 {} execution_list"),
    "/api/monitored": ("m", "{}:id"),
    "/api/agents/writer/inbox": ("inbox", "{}"),
    "/api/agents/writer/memory": ("inbox", "{}"),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_refused_if_its_epoch_has_lost_its_position(client: TestClient, end: int, path: str) -> None:
    kind, key = LISTS[path]

    def after(position: int, epoch: str | None) -> Any:
        return client.get(path, params={"cursor": write_cursor(kind, key.format(position), epoch)})

    for epoch in (BEFORE, None):  # the release before gave out cursors without one
        assert after(5, epoch).status_code == 200
        assert went_back(after(6, epoch), client, end)
    assert went_back(after(3, LOST), client, end)
    assert after(end, present(client)["epoch"]).status_code == 200


def test_the_cursors_of_a_list_go_on(client: TestClient, end: int) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/events", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        seen += [each["position"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [*range(1, end + 1)]


def test_entries_are_not_acknowledged_by_a_lost_cursor(client: TestClient, end: int) -> None:
    path = "/api/agents/writer/inbox/ack"
    assert went_back(client.post(path, json={"cursor": write_cursor("inbox", end, BEFORE)}), client, end)
    cursor = client.get("/api/agents/writer/inbox").json()["cursor"]
    assert client.post(path, json={"cursor": cursor}).status_code == 200
