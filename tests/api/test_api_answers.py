"""Every answer: the headers that protect it, HEAD and OPTIONS."""

from typing import Any

from starlette.testclient import TestClient

from edge.protection import POLICY

START = "/api/processes/greeting/executions"


def test_every_answer_protects_its_reader(shared_client: TestClient, shared: Any) -> None:
    app = shared.app
    app.add_api_route("/broken", lambda: 1 / 0)
    with TestClient(app, raise_server_exceptions=False) as client:
        answers = [
            client.get("/api/agents"),
            client.get("/api/nothing"),
            client.patch("/api/agents"),
            client.options("/api/agents"),
            client.head("/api/agents"),
            client.post(START, json={}),
            client.post(START, json={}, headers={"Origin": "null"}),
            client.get("/api/agents", headers={"Host": "evil.example"}),
            client.get("/health/live"),
            client.get("/health/ready"),
            client.get("/openapi.json"),
            client.get("/api/schema"),
            client.head("/api/stream"),
            client.get("/broken"),
        ]
    assert {answer.status_code for answer in answers} == {200, 204, 403, 404, 405, 421, 422, 500}
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_head_is_get_without_a_body(shared: Any, shared_client: TestClient) -> None:
    paths = [path for path, item in shared.app.openapi()["paths"].items() if "get" in item]
    assert len(paths) > 15
    for path in [*paths, "/openapi.json", "/nothing"]:
        if path == "/api/stream":
            continue
        asked = path.replace("{process}", "greeting").replace("{name}", "writer")
        head, get = shared_client.head(asked), shared_client.get(asked)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        changing = {"x-request-id"} | ({"content-length"} if "lag_seconds" in get.text else set())
        assert {name for name in head.headers if name not in changing} == set(get.headers) - changing
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
    stream = shared_client.head("/api/stream")
    assert (stream.status_code, stream.headers["Content-Type"][:17]) == (200, "text/event-stream")


def test_a_path_states_its_methods(shared_client: TestClient) -> None:
    for path, methods in [
        ("/api/agents/writer", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}),
        ("/api/processes", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/api/processes/greeting/publish", {"POST", "OPTIONS"}),
        ("/health/live", {"GET", "HEAD", "OPTIONS"}),
        ("/openapi.json", {"GET", "HEAD", "OPTIONS"}),
    ]:
        refused = shared_client.request("TRACE", path)
        assert (refused.status_code, set(refused.headers["Allow"].split(", "))) == (405, methods)
        answered = shared_client.options(path, headers={"Origin": "https://evil.example"})
        assert (answered.status_code, answered.content) == (204, b"")
        assert set(answered.headers["Allow"].split(", ")) == methods
    assert shared_client.options("/nothing").status_code == 404
