"""The law of lists: a walk from page to page skips nothing and repeats nothing, whatever arrives meanwhile."""

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

START = "/api/processes/greeting/executions"
BODY = {"input": {"name": "Ann"}}


@settings(max_examples=8)
@given(limits=st.lists(st.integers(1, 4), min_size=1, max_size=6), arriving=st.lists(st.integers(0, 2), max_size=6))
def test_executions_that_arrive_during_a_walk_change_nothing_of_it(
    shared: Any, shared_client: TestClient, limits: list[int], arriving: list[int]
) -> None:
    def start() -> None:
        assert shared_client.post(START, json=BODY).status_code == 202

    start()
    shared.project()
    expected = everything(shared_client)
    walked: list[str] = []
    cursor: str | None = None
    steps = 0
    while steps == 0 or cursor is not None:
        limit = limits[steps % len(limits)]
        for _ in range(arriving[steps % len(arriving)] if arriving and steps < 6 else 0):
            start()
        shared.project()
        page = read(shared_client, limit, cursor)
        assert len(page["items"]) <= limit
        walked += [item["execution_id"] for item in page["items"]]
        cursor, steps = page["next_cursor"], steps + 1
    assert len(set(walked)) == len(walked)
    # What was there when the walk began is in it, in the same order; what came before the first page may be, too.
    assert [id for id in walked if id in set(expected)] == expected


def test_changes_of_rows_during_a_walk_move_none_of_them(client: TestClient, installation: Any, start: Any) -> None:
    ids = [start() for _ in range(5)]
    installation.project()
    first = read(client, 2, None)
    for id in ids:
        client.post(f"/api/executions/{id}/cancel", json={})
    installation.project()
    rest = read(client, 4, first["next_cursor"])
    walked = [UUID(item["execution_id"]) for item in first["items"] + rest["items"]]
    assert walked == ids[::-1]
    assert rest["next_cursor"] is None
    assert {item["status"] for item in rest["items"]} == {"cancelled"}


def read(client: TestClient, limit: int, cursor: str | None) -> Any:
    answer = client.get("/api/executions", params={"limit": limit} | ({"cursor": cursor} if cursor else {}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(client: TestClient) -> list[str]:
    page = read(client, 200, None)
    found = [item["execution_id"] for item in page["items"]]
    while page["next_cursor"] is not None:
        page = read(client, 200, page["next_cursor"])
        found += [item["execution_id"] for item in page["items"]]
    return found
