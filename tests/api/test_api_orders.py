"""Orders of the list of executions, the end of an execution and the labels of its process as filters."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from queries.paging import write_cursor
from tests.api.conftest import GREETING, Installation

LABELLED = GREETING.replace("name: greeting", "name: labelled").replace("labels: [demo]", "labels: [claims, urgent]")


@pytest.fixture
def ended(client: TestClient, installation: Installation, start: Callable[..., UUID]) -> list[dict[str, Any]]:
    """Return five executions, by their start, of which the others than the third have ended, in another order."""
    ids = [start() for _ in range(5)]
    for index in (3, 0, 4, 1):
        assert client.post(f"/api/executions/{ids[index]}/cancel", json={}).status_code == 200
    installation.project()
    items = client.get("/api/executions").json()["items"]
    return sorted(items, key=lambda each: ids.index(UUID(each["execution_id"])))


def walked(client: TestClient, limit: int = 2, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get("/api/executions", params={"limit": limit} | filters | cursor)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


def lasted(each: dict[str, Any]) -> float:
    return (datetime.fromisoformat(each["ended_at"]) - datetime.fromisoformat(each["started_at"])).total_seconds()


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_of_each_order_neither_skip_nor_repeat(
    client: TestClient, ended: list[dict[str, Any]], limit: int
) -> None:
    over = [each for each in ended if each["ended_at"]]
    assert len(over) == 4
    assert walked(client, limit, order="oldest") == ended
    assert walked(client, limit, order="oldest", waiting_for="agent") == [each for each in ended if each not in over]
    assert walked(client, limit, order="newest") == walked(client, limit) == ended[::-1]
    by_end = sorted(over, key=lambda each: (each["ended_at"], each["position"]), reverse=True)
    assert walked(client, limit, order="ended") == by_end
    by_length = sorted(over, key=lambda each: (lasted(each), each["position"]), reverse=True)
    assert walked(client, limit, order="longest") == by_length


def test_executions_that_end_during_a_walk_by_end_change_nothing_of_it(
    client: TestClient, installation: Installation, ended: list[dict[str, Any]]
) -> None:
    first = client.get("/api/executions?order=ended&limit=2").json()
    [running] = [each for each in ended if each["ended_at"] is None]
    client.post(f"/api/executions/{running['execution_id']}/cancel", json={})
    installation.project()
    rest = client.get(f"/api/executions?order=ended&cursor={first['next_cursor']}").json()["items"]
    ids = {each["execution_id"] for each in (*first["items"], *rest)}
    assert ids == {each["execution_id"] for each in ended} - {running["execution_id"]}


def test_the_end_is_a_filter(client: TestClient, ended: list[dict[str, Any]]) -> None:
    ends = sorted(each["ended_at"] for each in ended if each["ended_at"])
    between = walked(client, ended_from=ends[1], ended_to=ends[3], order="ended")
    assert [each["ended_at"] for each in between] == [ends[2], ends[1]]
    assert walked(client, ended_to=ends[0]) == []
    assert client.get("/api/executions?ended_from=yesterday").status_code == 400


def test_a_label_is_that_of_the_version_that_runs(client: TestClient, installation: Installation) -> None:
    def begin(process: str) -> str:
        answer = client.post(f"/api/processes/{process}/executions", json={"input": {"name": "Ann"}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["execution_id"])

    for source in (GREETING, LABELLED):
        installation.publish(client, source, writer={"script": "echo"})
    plain, labelled = begin("greeting"), begin("labelled")
    installation.project()
    process = client.get("/api/processes/labelled").json()["process_id"]
    yaml = {"Content-Type": "application/yaml"}
    revised = client.put(
        f"/api/processes/{process}", content=GREETING.replace("name: greeting", "name: labelled"), headers=yaml
    )
    assert revised.status_code == 200, revised.text
    assert client.post(f"/api/processes/{process}/publish", json={}).status_code == 200
    later = begin("labelled")
    installation.project()
    assert [each["execution_id"] for each in walked(client)] == [later, labelled, plain]
    assert [each["execution_id"] for each in walked(client, label="claims")] == [labelled]
    assert [each["execution_id"] for each in walked(client, label="other,urgent", order="oldest")] == [labelled]
    assert walked(client, label="other") == []


def test_a_cursor_is_of_its_order(client: TestClient, ended: list[dict[str, Any]]) -> None:
    cursor = client.get("/api/executions?limit=1&order=ended").json()["next_cursor"]
    for query in (f"cursor={cursor}", f"order=longest&cursor={cursor}", "order=sideways"):
        assert client.get(f"/api/executions?{query}").status_code == 400, query
    for kind, key in (
        ("xe", "1"),
        ("xe", "1 2026-01-01T00:00:00"),
        ("xe", "9999999999999999999 2026-01-01T00:00:00Z"),
        ("xd", "1 soon"),
        ("xd", f"1 {10**30}"),
        ("xo", "-1"),
        ("x", f"{10**19}"),
    ):
        order = {"xe": "ended", "xd": "longest", "xo": "oldest", "x": "newest"}[kind]
        answer = client.get("/api/executions", params={"order": order, "cursor": write_cursor(kind, key)})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), (kind, key)


def test_what_waits_is_listed_in_each_order(client: TestClient, start: Callable[..., UUID], installation: Any) -> None:
    ids = [str(start()) for _ in range(5)]
    installation.project()
    for limit in (1, 2, 5):
        found = walked(client, limit, order="oldest", waiting_for="agent")
        assert [each["execution_id"] for each in found] == ids
    assert walked(client, order="ended", waiting_for="agent") == []
