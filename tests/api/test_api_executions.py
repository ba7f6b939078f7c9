"""Executions over HTTP: started, listed, looked at, cancelled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Completed, Failed, StepError, Usage
from domain.identity import process_id
from domain.money import Money

ABSENT = "0192f0c1-0000-7000-8000-000000000000"


@pytest.mark.parametrize("route", ["executions", "execute"])
@pytest.mark.parametrize("by", ["id", "name"])
def test_a_published_process_is_started_by_id_or_name(
    shared_client: TestClient, shared: Any, route: str, by: str
) -> None:
    named = str(process_id("greeting")) if by == "id" else "greeting"
    answer = shared_client.post(f"/api/processes/{named}/{route}", json={"input": {"name": "Ann"}})
    assert answer.status_code == 202
    started = answer.json()
    assert set(started) == {"execution_id", "version", "position"}
    assert started["version"] == 1
    assert started["position"] == shared.log.last_position()
    assert shared.executions.load(UUID(started["execution_id"])).status == "running"


def test_the_read_model_shows_what_was_started_once_it_has_the_position(
    client: TestClient, installation: Any, greeting: str
) -> None:
    started = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()
    id, position = started["execution_id"], started["position"]
    assert client.get(f"/api/executions/{id}").status_code == 404
    installation.project()
    seen = client.get(f"/api/executions/{id}", params={"min_position": position}).json()
    assert seen["as_of_position"] >= position
    assert seen["lag_seconds"] == 0
    assert (seen["status"], seen["input"], seen["process"], seen["version"]) == (
        "running",
        {"name": "Ann"},
        "greeting",
        1,
    )
    assert [(step["id"], step["status"], step["agent"]) for step in seen["steps"]] == [
        ("greet", "scheduled", "writer"),
        ("check", "pending", "writer"),
    ]
    assert seen["steps"][0]["input"] == {"message": "Hello Ann", "parameters": {}}
    assert seen["steps"][1]["input"] is None
    assert seen["cost"] == {"own": [], "with_children": [], "unpriced": 0}


def test_detail_adds_up_steps_usage_and_exact_cost(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    tiny = Money(Decimal("0.00000000000000000000000000000000000001"), "USD")
    installation.answer(id, "greet", Completed({"text": "hi\0"}, Usage(3, 4), Money(Decimal("0.0049"), "USD")))
    installation.answer(id, "check", Completed("good", Usage(1, 0), tiny))
    installation.project()
    seen = client.get(f"/api/executions/{id}").json()
    assert seen["status"] == "completed"
    assert seen["outputs"] == {"text": "good"}
    assert seen["cost"]["own"] == [{"amount": "0.00490000000000000000000000000000000001", "currency": "USD"}]
    greet, check = seen["steps"]
    assert greet["output"] == {"text": "hi\0"}
    assert greet["usage"] == {"input_tokens": 3, "output_tokens": 4}
    assert greet["cost"] == [{"amount": "0.0049", "currency": "USD"}]
    assert (check["status"], check["attempts"]) == ("completed", 1)
    assert seen["duration"] >= check["duration"] >= 0
    listed = client.get("/api/executions").json()["items"][0]
    assert listed["cost"] == seen["cost"]["own"]
    assert (listed["input_tokens"], listed["output_tokens"]) == (4, 4)
    assert (listed["steps"], listed["steps_done"], listed["steps_failed"]) == (2, 2, 0)


def test_usage_without_a_cost_is_counted_as_unpriced(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    installation.answer(id, "greet", Completed("hi", Usage(3, 4)))
    installation.project()
    assert client.get(f"/api/executions/{id}").json()["cost"]["unpriced"] == 1


def test_a_failure_is_shown_in_the_list_and_in_detail(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    installation.answer(id, "greet", Failed(StepError("agent_error", "no\0 idea", permanent=True)))
    installation.project()
    seen = client.get(f"/api/executions/{id}").json()
    assert (seen["status"], seen["error"]["code"]) == ("failed", "agent_error")
    assert seen["steps"][0]["error"]["message"] == "no\0 idea"
    listed = client.get("/api/executions", params={"status": "failed"}).json()["items"][0]
    assert listed["error"]["code"] == "agent_error"


def test_filters_are_or_within_a_field_and_and_between_fields(
    client: TestClient, installation: Any, start: Callable[..., UUID]
) -> None:
    running, cancelled = start(), start()
    client.post(f"/api/executions/{cancelled}/cancel", json={"reason": "enough"})
    installation.project()

    def found(**filters: Any) -> set[str]:
        answer = client.get("/api/executions", params=filters)
        assert answer.status_code == 200, answer.text
        return {item["execution_id"] for item in answer.json()["items"]}

    both = {str(running), str(cancelled)}
    assert found(status="running,cancelled") == both
    assert found(status=["running", "cancelled"]) == both
    assert found(status="cancelled", process="greeting") == {str(cancelled)}
    assert found(status="cancelled", process="another") == set()
    assert found(process=f"greeting,{ABSENT}") == both
    assert found(version="1,2", trigger="manual") == both
    assert found(trigger="webhook") == set()
    assert found(status="") == both
    at = client.get(f"/api/executions/{running}").json()["started_at"]
    assert str(running) in found(**{"from": at})
    assert str(running) not in found(to=at)
    assert found(**{"from": "2999-01-01T00:00:00+01:00"}) == set()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=running", "unknown_filter"),
        ("statu=running", "unknown_filter"),
        ("status=sleeping", "invalid_filter"),
        ("limit=0", "invalid_filter"),
        ("limit=201", "invalid_filter"),
        ("limit=ten", "invalid_filter"),
        ("limit=" + "9" * 5000, "invalid_filter"),
        ("min_position=-1", "invalid_filter"),
        ("min_position=9223372036854775808", "invalid_filter"),
        ("version=one", "invalid_filter"),
        ("version=99999999999", "invalid_filter"),
        ("from=2026-01-01", "invalid_filter"),
        ("from=2026-01-01T00:00:00", "invalid_filter"),
        ("from=1700000000", "invalid_filter"),
        ("to=0001-01-01T00:00:00%2B14:00", "invalid_filter"),
        ("to=2026-13-01T00:00:00Z", "invalid_filter"),
        ("process=Not%20a%20name", "invalid_filter"),
        ("trigger=a%00b", "invalid_filter"),
        ("cursor=%00", "bad_cursor"),
        ("cursor=x", "bad_cursor"),
        ("cursor=cDoxMg", "bad_cursor"),
        ("cursor=eDotMQ", "bad_cursor"),
    ],
)
def test_a_query_that_cannot_be_understood_is_400(shared_client: TestClient, query: str, code: str) -> None:
    answer = shared_client.get(f"/api/executions?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_unknown_filter_names_the_nearest_known_one(shared_client: TestClient) -> None:
    document = shared_client.get("/api/executions?proces=x&limit=500").json()
    assert document["code"] == "unknown_filter"
    assert [(found["path"], found["hint"]) for found in document["problems"] if found["code"] == "unknown_filter"] == [
        ("proces", "did you mean process?")
    ]
    assert len(document["problems"]) == 2


@pytest.mark.parametrize("id", ["1", "greeting", ABSENT, "%00", "x" * 3000, ABSENT.replace("-", ""), "{}"])
def test_an_id_that_is_none_is_404(shared_client: TestClient, id: str) -> None:
    client = shared_client
    answers = [
        client.get(f"/api/executions/{id}"),
        client.get(f"/api/executions/{id}/events"),
        client.post(f"/api/executions/{id}/cancel", json={}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_cancel_ends_an_execution_once(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    first = client.post(f"/api/executions/{id}/cancel", json={"reason": "enough"})
    assert (first.status_code, first.json()["execution_id"]) == (200, str(id))
    events = installation.events()
    again = client.post(f"/api/executions/{id}/cancel")
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert installation.events() == events


def test_what_has_ended_otherwise_cannot_be_cancelled(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    for step in ("greet", "check"):
        installation.answer(id, step)
    answer = client.post(f"/api/executions/{id}/cancel", json={})
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (409, "execution_ended", 409)


def test_the_stream_of_an_execution_is_paged_by_cursor(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    installation.answer(id, "greet")
    read: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = client.get(f"/api/executions/{id}/events", params={"limit": 2, **cursor}).json()
        read += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [event["version"] for event in read] == list(range(1, len(read) + 1))
    assert [event["type"] for event in read][:3] == ["ExecutionStarted", "StepScheduled", "StepStarted"]
    assert read[0]["data"]["input"] == {"name": "Ann"}
    assert read[0]["actor"] == "user:anonymous"
    assert {"position", "at", "causation", "correlation", "stream"} <= read[0].keys()
    after = client.get(f"/api/executions/{id}/events", params={"after": 2}).json()["items"]
    assert after == read[2:]


def test_a_process_is_not_read_as_an_execution(client: TestClient, greeting: str) -> None:
    assert client.get(f"/api/executions/{greeting}/events").status_code == 404
    assert client.post(f"/api/executions/{greeting}/cancel", json={}).status_code == 404


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({"input": []}, ["wrong_type"]),
        ({"version": "1", "inputs": {}}, ["unknown_key", "wrong_type"]),
        ({"version": 0, "input": {"name": "x"}}, ["invalid_value"]),
        ({"version": True}, ["wrong_type"]),
        ({"version": 2**40}, ["invalid_value"]),
        ({"input": {"nam": "x"}}, ["required_input", "unknown_input"]),
        ({}, ["required_input"]),
    ],
)
def test_all_that_is_wrong_with_a_start_is_said_at_once(
    shared_client: TestClient, shared: Any, body: Any, codes: list[str]
) -> None:
    events = shared.events()
    answer = shared_client.post("/api/processes/greeting/executions", json=body)
    assert answer.status_code == 422
    assert sorted(problem["code"] for problem in answer.json()["problems"]) == sorted(codes)
    assert shared.events() == events


def test_a_process_without_a_version_or_archived_is_not_started(client: TestClient, greeting: str) -> None:
    assert client.post("/api/processes/absent/executions", json={}).status_code == 404
    assert client.post("/api/processes/greeting/executions", json={"version": 9}).status_code == 404
    draft = "name: drafted\nsteps: [{id: a, agent: writer, message: hi}]"
    client.post("/api/processes", content=draft, headers={"Content-Type": "text/yaml"})
    answer = client.post("/api/processes/drafted/executions", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "process_not_published")
    assert client.post("/api/processes/greeting/archive", json={"reason": "old"}).status_code == 200
    answer = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "process_archived")
