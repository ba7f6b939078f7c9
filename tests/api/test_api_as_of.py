"""Executions over HTTP as they were at a point, and what changed between two."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

POINTLESS = ["", "-1", "1.5", "yesterday", "2026-01-01", "2026-01-01T09:00:00", "9223372036854775808", "٣"]


def test_the_stream_answers_in_the_shape_of_the_read_model_and_needs_none(
    client: TestClient, installation: Any, start: Callable[..., UUID]
) -> None:
    id = start()
    begun = installation.log.last_position()
    installation.answer(id, "greet")
    before = client.get(f"/api/executions/{id}", params={"as_of": begun}).json()
    assert (before["as_of"], before["as_of_position"]) == (begun, installation.log.last_position())
    assert [step["status"] for step in before["steps"]] == ["scheduled", "pending"]
    installation.project()
    now = client.get(f"/api/executions/{id}").json()
    after = client.get(f"/api/executions/{id}", params={"as_of": now["position"]}).json()
    assert now["as_of"] is None
    assert after | {"as_of": None, "lag_seconds": now["lag_seconds"]} == now
    instant = now["steps"][0]["completed_at"]
    at_that_time = client.get(f"/api/executions/{id}", params={"as_of": instant}).json()
    assert at_that_time | {"as_of": now["position"]} == after


def test_what_changed_is_told_between_two_points(
    client: TestClient, installation: Any, start: Callable[..., UUID]
) -> None:
    id = start()
    begun = installation.log.last_position()
    installation.answer(id, "greet")
    points = {"from": begun, "to": installation.log.last_position()}
    answer = client.get(f"/api/executions/{id}/diff", params=points)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["process"], told["from"], told["to"]) == ("greeting", *points.values())
    before, after = ([{"kind": "agent", "step": step}] for step in ("greet", "check"))
    assert told["changed"] == {"waiting_for": {"before": before, "after": after}}
    greet, check = told["steps"]
    assert greet["changed"] == {
        "status": {"before": "scheduled", "after": "completed"},
        "output": {"before": None, "after": "output of greet"},
    }
    assert check["changed"]["status"] == {"before": "pending", "after": "scheduled"}


@pytest.mark.parametrize("point", POINTLESS)
def test_what_is_no_point_is_refused(client: TestClient, point: str, problem_codes: Any) -> None:
    path = f"/api/executions/{UUID(int=1)}"
    for asked in (
        client.get(path, params={"as_of": point}),
        client.get(f"{path}/diff", params={"from": point, "to": "1"}),
        client.get(f"{path}/diff", params={"from": "1", "to": point}),
    ):
        assert asked.status_code == 400, asked.text
        assert problem_codes(asked)[0] == "invalid_filter"


def test_a_difference_has_two_points(client: TestClient, problem_codes: Any) -> None:
    answer = client.get(f"/api/executions/{UUID(int=1)}/diff", params={"from": "1"})
    assert (answer.status_code, problem_codes(answer)[0]) == (400, "invalid_filter")


def test_before_the_start_there_is_nothing(client: TestClient, start: Callable[..., UUID], problem_codes: Any) -> None:
    path = f"/api/executions/{start()}"
    for answer in (
        client.get(path, params={"as_of": 1}),
        client.get(path, params={"as_of": "2020-01-01T00:00:00+01:00"}),
        client.get(f"{path}/diff", params={"from": 0, "to": 10_000}),
        client.get(f"/api/executions/{UUID(int=1)}", params={"as_of": 1}),
    ):
        assert (answer.status_code, problem_codes(answer)) == (404, ["not_found"])
