"""Executions that are set aside, over HTTP: the list, another try, the cancel, and commands on a broken one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

Start = Callable[..., UUID]
Codes = Callable[[Any], list[str]]


def set_aside(installation: Any, id: UUID) -> None:
    """As a worker does."""
    with installation.datastore.reading() as connection:
        connection.execute("select set_aside_v1(%s, 'KeyError: nowhere', %s, '{}')", (id, uuid4()))


def break_stream(installation: Any, id: UUID) -> None:
    """Add an event that decodes and that no state of the execution can take."""
    with installation.datastore.reading() as connection:
        connection.execute(
            """insert into stored_events (originator_id, originator_version, topic, state)
            select originator_id, max(originator_version) + 1, 'StepSkipped',
              '{"at":"2026-01-01T00:00:00Z","actor":"user:test","step":"nowhere","reason":"x"}' from stored_events
            where originator_id = %s group by 1""",
            (id,),
        )


def listed(client: TestClient, **parameters: Any) -> Any:
    answer = client.get("/api/set-aside", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_they_are_listed_in_pages_and_counted_in_health(client: TestClient, installation: Any, start: Start) -> None:
    assert listed(client)["items"] == []
    ids = [start() for _ in range(3)]
    for id in ids:
        set_aside(installation, id)
    page = listed(client, limit=2)
    rest = listed(client, limit=2, cursor=page["next_cursor"])
    items = [*page["items"], *rest["items"]]
    assert [item["execution_id"] for item in items] == [str(id) for id in ids]
    assert items[0].keys() == {"execution_id", "error", "since", "tries", "next_try", "kind"}
    assert (items[0]["error"], items[0]["tries"]) == ("KeyError: nowhere", 1)
    assert rest["next_cursor"] is None
    health = client.get("/health/ready")
    assert (health.status_code, health.json()["status"], health.json()["set_aside"]) == (200, "ready", 3)
    assert client.get("/api/set-aside", params={"cursor": "no"}).status_code == 400


def test_a_command_takes_an_execution_back(client: TestClient, installation: Any, start: Start) -> None:
    id = start()
    set_aside(installation, id)
    assert client.post(f"/api/executions/{id}/cancel", json={}).status_code == 200
    assert listed(client)["items"] == []


def test_retry_makes_it_due(client: TestClient, installation: Any, start: Start, problem_codes: Codes) -> None:
    id = start()
    set_aside(installation, id)
    key = {"Idempotency-Key": "again"}
    answers = [client.post(f"/api/set-aside/{id}/retry", json={"reason": "mended"}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["execution_id"] == str(id)
    with installation.datastore.reading() as connection:
        assert connection.execute("select 1 from due_steps where due_at > now()").fetchall() == []
    missing = client.post(f"/api/set-aside/{uuid4()}/retry", json={})
    assert (missing.status_code, problem_codes(missing)) == (404, ["not_set_aside"])


def test_a_broken_one_answers_every_command_with_its_name_and_harms_no_other(
    installation: Any, start: Start, greeting: str, problem_codes: Codes
) -> None:
    id, other = start(), start()
    break_stream(installation, id)
    commands = [
        ("cancel", {}),
        ("steps/greet/retry", {"reason": "x"}),
        ("steps/greet/skip", {"reason": "x"}),
        ("timers/greet/timeout/fire", {"reason": "x"}),
    ]
    with TestClient(installation.app, raise_server_exceptions=False) as client:
        for path, body in commands:
            answer = client.post(f"/api/executions/{id}/{path}", json=body)
            assert (answer.status_code, problem_codes(answer)) == (500, ["decision_broke"])
            assert answer.json()["stream"] == str(id)
            assert str(id) in answer.json()["detail"]
        assert client.post(f"/api/executions/{other}/cancel", json={}).status_code == 200


@pytest.mark.parametrize("why", ["broken", "ended", "whole"])
def test_cancel_ends_it(client: TestClient, installation: Any, start: Start, why: str) -> None:
    id = start()
    if why == "broken":
        break_stream(installation, id)
    elif why == "ended":
        assert client.post(f"/api/executions/{id}/cancel", json={}).status_code == 200
    set_aside(installation, id)
    answer = client.post(f"/api/set-aside/{id}/cancel", json={"reason": "enough"})
    assert answer.status_code == 200, answer.text
    assert answer.json().get("duplicate", False) is (why == "ended")
    assert listed(client)["items"] == []
    position = installation.project()
    assert answer.json()["position"] <= position
    assert client.get(f"/api/executions/{id}").json()["status"] == "cancelled"


def test_one_that_has_not_begun_says_why_it_cannot_be_cancelled(
    client: TestClient, installation: Any, problem_codes: Codes
) -> None:
    id = uuid4()
    set_aside(installation, id)
    answer = client.post(f"/api/set-aside/{id}/cancel", json={})
    assert (answer.status_code, problem_codes(answer)) == (409, ["cannot_cancel"])
    assert len(listed(client)["items"]) == 1


def test_a_cost_alert_is_listed_as_one_and_only_tried_again(
    client: TestClient, installation: Any, problem_codes: Codes
) -> None:
    id = uuid4()
    with installation.datastore.reading() as connection:
        connection.execute(
            "insert into set_aside (execution_id, error, kind, next_try) values (%s, 'no', 'cost_alert', now() + '1d')",
            (id,),
        )
    (item,) = listed(client)["items"]
    assert (item["kind"], item["execution_id"]) == ("cost_alert", str(id))
    assert client.get("/health/ready").json()["set_aside"] == 1
    answer = client.post(f"/api/set-aside/{id}/cancel", json={})
    assert (answer.status_code, problem_codes(answer)) == (409, ["cannot_cancel"])
    assert client.post(f"/api/set-aside/{id}/retry", json={}).status_code == 202
    (item,) = listed(client)["items"]
    assert item["next_try"] <= datetime.now(UTC).isoformat()


def test_a_stream_with_a_hole_answers_with_its_name_and_harms_no_other(
    installation: Any, start: Start, problem_codes: Codes
) -> None:
    id, other = start(), start()
    with installation.datastore.reading() as connection:
        connection.execute(
            "update stored_events set originator_version = 17 where originator_id = %s and originator_version = 2",
            (id,),
        )
    with TestClient(installation.app, raise_server_exceptions=False) as client:
        answer = client.post(f"/api/executions/{id}/cancel", json={})
        assert (answer.status_code, problem_codes(answer)) == (503, ["unavailable"])
        assert answer.json()["stream"] == str(id)
        assert client.post(f"/api/executions/{other}/cancel", json={}).status_code == 200
        # Set aside, it can be cancelled all the same.
        set_aside(installation, id)
        assert client.post(f"/api/set-aside/{id}/cancel", json={}).status_code == 200
