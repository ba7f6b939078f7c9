"""The tree of a whole run, the end of an id, and who sees what of them, over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import StepError
from domain.executions.events.execution import ExecutionFailed
from domain.executions.events.repetition import ItemFailed, ItemsListed
from domain.executions.events.step import StepFailed, StepScheduled
from domain.identity import process_id
from queries.exchange import answer
from queries.moments import moment_of_event, moment_of_position
from tests.api.test_api_families import Family


@pytest.fixture
def family(installation: Any, start: Callable[..., UUID]) -> Family:
    made = Family(installation, start(), start())
    installation.project()
    return made


def test_a_tree_is_that_of_the_whole_run_from_any_of_its_executions(client: TestClient, family: Family) -> None:
    expected = [(str(family.root), None, 0), (str(family.child), "greet", 1), (str(family.below), "check", 2)]
    for id in (family.root, family.child, family.below):
        items = client.get(f"/api/executions/{id}/tree").json()["items"]
        assert [(each["execution_id"], each["parent_step"], each["depth"]) for each in items] == expected
    assert [each["execution_id"] for each in client.get(f"/api/executions/{family.other}/tree").json()["items"]] == [
        str(family.other)
    ]
    assert client.get("/api/executions/00000000-0000-0000-0000-000000000000/tree").status_code == 404


def test_pages_of_a_tree_neither_skip_nor_repeat(client: TestClient, family: Family) -> None:
    found, cursor = [], None
    for _ in range(3):
        page = client.get(
            f"/api/executions/{family.below}/tree", params={"limit": 1} | ({"cursor": cursor} if cursor else {})
        ).json()
        found += [each["execution_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert found == [str(family.root), str(family.child), str(family.below)]
    assert cursor is None
    queued = client.get(f"/api/executions/{family.root}/tree?status=queued").json()["items"]
    assert [each["execution_id"] for each in queued] == [str(family.below)]
    assert client.get(f"/api/executions/{family.root}/tree?limit=1001").status_code == 400


def test_an_execution_is_found_by_the_end_of_its_id(client: TestClient, family: Family) -> None:
    for id in (family.root, family.below):
        for end in (str(id)[-8:], str(id)[-13:].upper(), str(id)):
            items = client.get("/api/executions", params={"q": end}).json()["items"]
            assert [each["execution_id"] for each in items] == [str(id)]
    assert client.get("/api/executions?q=zzzz").status_code == 400
    assert client.get("/api/executions?q=abc").status_code == 400
    assert client.get("/api/executions", params={"q": str(family.root)[-8:], "status": "failed"}).json()["items"] == []


def test_a_limited_key_sees_the_part_of_a_tree_that_is_its_own(
    client: TestClient, family: Family, key: Callable[..., dict[str, str]]
) -> None:
    limited = key("viewer", processes=["child"])
    items = client.get(f"/api/executions/{family.below}/tree", headers=limited).json()["items"]
    assert [each["execution_id"] for each in items] == [str(family.child), str(family.below)]
    assert client.get(f"/api/executions/{family.root}/tree", headers=limited).status_code == 404
    hidden = client.get("/api/executions", params={"q": str(family.root)[-8:]}, headers=limited)
    assert hidden.json()["items"] == []


def test_the_cause_of_a_failure_is_the_deepest_failed_step(
    client: TestClient,
    installation: Any,
    family: Family,
    root: dict[str, str],
    key: Callable[..., dict[str, str]],
) -> None:
    client.headers.update(root)
    assert client.get(f"/api/executions/{family.root}/cause").json()["cause"] is None
    error = StepError("broken", "it broke")
    for id, step in ((family.below, "work"), (family.child, "check"), (family.root, "greet")):
        if id == family.below:
            family.tell(id, StepScheduled, step=step, attempt=1, agent="writer", message="")
        family.tell(id, StepFailed, step=step, attempt=1, error=error)
        ended = {"process_id": process_id("child"), "version": 1, "started_at": datetime(2026, 1, 1, tzinfo=UTC)}
        family.tell(id, ExecutionFailed, step=step, error=error, **ended)
    installation.project()
    for id, distance in ((family.root, 2), (family.child, 1), (family.below, 0)):
        found = client.get(f"/api/executions/{id}/cause").json()["cause"]
        assert (found["execution_id"], found["step"], found["distance"]) == (str(family.below), "work", distance)
    assert client.get("/api/executions/00000000-0000-0000-0000-000000000000/cause").status_code == 404
    limited = key("viewer", processes=[client.get(f"/api/executions/{family.root}").json()["process"]])
    seen = client.get(f"/api/executions/{family.root}/cause", headers=limited).json()["cause"]
    assert (seen["execution_id"], seen["process"], seen["step"]) == (str(family.below), "restricted", "")


@pytest.mark.parametrize("counted", [True, False])
def test_a_step_that_counts_no_failed_item_failed_by_itself(
    client: TestClient, installation: Any, family: Family, counted: bool
) -> None:
    error = StepError("broken", "it broke")
    family.tell(family.root, ItemsListed, step="greet", attempt=1, items=["a", "b"])
    ended = {"process_id": process_id("child"), "version": 1, "started_at": datetime(2026, 1, 1, tzinfo=UTC)}
    family.tell(family.child, StepFailed, step="check", attempt=1, error=error)
    family.tell(family.child, ExecutionFailed, step="check", error=error, **ended)
    if counted:
        failed = {"item": 0, "child": family.child, "error": error, "failed": 1}
        family.tell(family.root, ItemFailed, step="greet", attempt=1, **failed)
    family.tell(family.root, StepFailed, step="greet", attempt=1, error=error)
    family.tell(family.root, ExecutionFailed, step="greet", error=error, **ended)
    installation.project()
    found = client.get(f"/api/executions/{family.root}/cause").json()["cause"]
    place = (str(family.child), "check", 1) if counted else (str(family.root), "greet", 0)
    assert (found["execution_id"], found["step"], found["distance"]) == place


def test_a_moment_has_its_neighbours(installation: Any, family: Family) -> None:
    first = moment_of_event(installation.reading, family.root, 1)
    assert (first.event, first.before) == (1, None)
    assert first.after is not None
    second = answer(installation.reading, moment_of_position(family.root, first.after))
    assert (second.event, second.before) == (2, first.position)
    newest = moment_of_event(installation.reading, family.root, 1_000_000)
    assert (newest.event, newest.position, newest.after) == (newest.events, newest.last, None)
