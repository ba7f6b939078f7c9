"""Operations over HTTP: the log, read models, health, the key at the door, waiting for a position."""

import threading
from typing import Any

from starlette.testclient import TestClient

from tests.waiting import until


def test_the_log_is_read_page_by_page_and_by_type(client: TestClient, installation: Any, start: Any) -> None:
    for _ in range(3):
        start()
    positions: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = client.get("/api/events", params={"limit": 2, **cursor}).json()
        positions += [event["position"] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert positions == sorted(positions)
    assert len(positions) == installation.events()
    assert page["as_of_position"] == positions[-1]
    chosen = client.get("/api/events", params={"type": "ExecutionStarted,AgentRegistered", "limit": 3}).json()
    assert [event["type"] for event in chosen["items"]] == [
        "AgentRegistered",
        "ExecutionStarted",
        "ExecutionStarted",
    ]
    rest = client.get("/api/events", params={"type": "ExecutionStarted", "cursor": chosen["next_cursor"]}).json()
    assert len(rest["items"]) == 1
    assert client.get("/api/events", params={"type": "Nothing"}).json()["items"] == []


def test_projections_tell_how_far_they_are(client: TestClient, installation: Any, start: Any) -> None:
    start()
    seen = client.get("/api/projections").json()
    assert {item["name"] for item in seen["items"]} == {
        "agent_directory",
        "analytics",
        "approvals",
        "batches",
        "cost_alerts",
        "cost_ledger",
        "costs",
        "execution_detail",
        "execution_list",
        "key_list",
        "process_catalogue",
        "process_days",
        "process_references",
        "roles",
        "schedules",
        "occurrences",
        "InformedAgentNotifier",
        "template_uses",
        "templates",
    }
    assert seen["as_of_position"] == installation.log.last_position()
    behind = seen["items"][0]
    assert (behind["position"], behind["lag"], behind["state"]) == (7, 2, "running")
    assert behind["lag_seconds"] >= 0
    installation.project()
    assert {item["lag"] for item in client.get("/api/projections").json()["items"]} == {0}
    installation.runner.close()

    def unattended() -> bool:  # once the server has let go of the locks of the closed connection
        return {item["state"] for item in client.get("/api/projections").json()["items"]} == {"unattended"}

    installation.until(unattended)


def test_a_query_waits_for_the_position_it_is_asked_for(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    position = installation.log.last_position()
    later = threading.Timer(0.3, installation.project)
    later.start()
    seen = client.get(f"/api/executions/{id}", params={"min_position": position})
    later.join()
    assert (seen.status_code, seen.json()["as_of_position"]) == (200, position)


def test_a_position_that_does_not_come_is_503(installation: Any, problem_codes: Any) -> None:
    installation.wait_seconds = 0.2
    with TestClient(installation.app) as client:
        for path in ("/api/executions", "/api/processes", "/api/agents", "/api/events"):
            answer = client.get(path, params={"min_position": 1_000_000})
            assert (answer.status_code, problem_codes(answer)) == (503, ["not_yet"])
            assert int(answer.headers["Retry-After"]) > 0


def test_lag_is_the_age_of_the_first_event_not_seen(client: TestClient, start: Any) -> None:
    start()
    first = client.get("/api/executions").json()
    until(lambda: client.get("/api/executions").json()["lag_seconds"] > first["lag_seconds"])
    assert client.get("/api/executions").json()["as_of_position"] == first["as_of_position"]


def test_health_says_that_it_lives_and_is_ready(shared_client: TestClient) -> None:
    assert shared_client.get("/health/live").json() == {"status": "live"}
    ready = shared_client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"], ready.json()["migrations"]) == (200, "ready", "applied")
    assert ready.json()["projections"].keys() >= {"execution_list"}


def test_an_outage_is_503_everywhere_but_for_liveness(
    client: TestClient, installation: Any, greeting: str, problem_codes: Any
) -> None:
    installation.datastore.pool.close()
    for method, path in [
        ("GET", "/api/executions"),
        ("GET", "/api/processes/greeting"),
        ("GET", "/api/projections"),
        ("POST", "/api/processes/greeting/archive"),
    ]:
        answer = client.request(method, path)
        assert (answer.status_code, problem_codes(answer)) == (503, ["unavailable"]), path
        assert "Retry-After" in answer.headers
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["database"]) == (503, "down")


def test_a_database_without_migrations_is_not_ready(installation: Any) -> None:
    with installation.datastore.reading() as connection:
        connection.execute("delete from schema_migrations where number = (select max(number) from schema_migrations)")
    with TestClient(installation.app) as client:
        ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["migrations"]) == (503, "missing")


def test_every_route_of_the_api_asks_for_the_key_but_for_callbacks(keyed: Any) -> None:
    app = keyed("the key").app
    operations = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if path.startswith("/api/")
    ]
    assert len(operations) > 20
    with TestClient(app) as client:
        for method, path in operations:
            answer = client.request(method, path.replace("{execution_id}", "0192f0c1-0000-7000-8000-000000000000"))
            if path.endswith(("/complete", "/fail", "/heartbeat")):
                assert (answer.status_code, answer.json()["code"]) == (403, "token_invalid"), path
            else:
                assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        wrong = [None, "Bearer", "Bearer other", "Basic the key", "the key", "Bearer \xff"]
        for value in wrong:
            headers = {} if value is None else {"Authorization": value.encode("latin-1")}
            assert client.get("/api/agents", headers=headers).status_code == 401
        assert client.get("/api/agents", headers={"Authorization": "Bearer the key"}).status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_what_is_unforeseen_is_500_without_its_particulars(installation: Any) -> None:
    app = installation.app
    app.add_api_route("/broken", lambda: 1 / 0)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers={"X-Request-Id": "req-9"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "zero" not in answer.text
    assert answer.headers["X-Request-Id"] == "req-9"
    assert "req-9" in answer.json()["detail"]
