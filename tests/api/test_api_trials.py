"""Agents tried over HTTP: the answer, what it cost, what is refused, and that nothing is recorded."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

from commands.trials import MOST_AT_ONCE
from tests.api.conftest import Making
from tests.waiting import LIMIT_SECONDS


@pytest.fixture
def agent(client: TestClient, installation: Any) -> Any:
    """Register a scripted agent."""

    def register(name: str, **config: Any) -> None:
        answer = client.put(f"/api/agents/{name}", json={"kind": "scripted", **config})
        assert answer.status_code == 200, answer.text

    yield register
    installation.trials.close()


@pytest.fixture
def held_agent() -> Iterator[tuple[str, threading.Event]]:
    """Serve an agent that answers once its event is set; yield its address and the event."""
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            release.wait(LIMIT_SECONDS)
            self.send_response(200)
            self.send_header("content-length", "15")
            self.end_headers()
            self.wfile.write(b'{"output": "x"}')

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", release
    release.set()
    server.shutdown()
    server.server_close()


def test_a_trial_answers_with_output_usage_cost_and_time(client: TestClient, installation: Any, agent: Any) -> None:
    agent("writer", script="echo", cost={"amount": "0.0125", "currency": "USD"})
    before = installation.log.last_position()
    tried = client.post("/api/agents/writer/try", json={"message": "two words"})
    assert tried.status_code == 200, tried.text
    found = tried.json()
    assert (found["name"], found["kind"], found["outcome"]) == ("writer", "scripted", "completed")
    assert (found["output"], found["error"]) == ("two words", None)
    assert (found["usage"]["input_tokens"], found["cost"]) == (2, {"amount": "0.0125", "currency": "USD"})
    assert found["duration_seconds"] >= 0
    assert installation.log.last_position() == before


def test_a_failure_is_an_answer_too(client: TestClient, agent: Any) -> None:
    agent("breaker", script="fail", error={"code": "broken", "message": "no luck", "permanent": True})
    found = client.post("/api/agents/breaker/try", json={"message": "go"}).json()
    assert (found["outcome"], found["output"]) == ("failed", None)
    assert found["error"] == {"code": "broken", "message": "no luck", "permanent": True}


def test_a_trial_ends_in_time(client: TestClient, agent: Any) -> None:
    agent("sleeper", script="slow", delay="1h")
    found = client.post("/api/agents/sleeper/try", json={"message": "go", "timeout_seconds": 1}).json()
    assert (found["outcome"], found["error"]["code"]) == ("failed", "deadline_exceeded")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing"),
        ({"message": ""}, "missing"),
        ({"message": "x", "timeout_seconds": 61}, "invalid_value"),
        ({"message": "x", "parameters": []}, "wrong_type"),
        ({"message": "x", "shout": True}, "unknown_key"),
    ],
)
def test_what_is_malformed_is_refused(client: TestClient, agent: Any, body: Any, code: str) -> None:
    agent("writer", script="echo")
    refused = client.post("/api/agents/writer/try", json=body)
    assert refused.status_code == 422
    assert {each["code"] for each in refused.json()["problems"]} == {code}


def test_only_agents_in_use_are_tried(client: TestClient, agent: Any) -> None:
    agent("writer", script="echo")
    client.delete("/api/agents/writer")
    retired = client.post("/api/agents/writer/try", json={"message": "x"})
    assert (retired.status_code, retired.json()["code"]) == (409, "retired_agent")
    assert client.post("/api/agents/nobody/try", json={"message": "x"}).status_code == 404


def test_a_trial_needs_the_scope_of_an_admin(client: TestClient, agent: Any, key: Making) -> None:
    for scope in ("viewer", "operator", "designer", "approver"):
        shown = key(scope, name=scope)
        assert client.post("/api/agents/writer/try", json={"message": "x"}, headers=shown).status_code == 403


def test_trials_are_few_at_once(
    client: TestClient, installation: Any, agent: Any, held_agent: tuple[str, threading.Event]
) -> None:
    url, release = held_agent
    agent("sleeper", kind="http", url=url)
    agent("writer", script="echo")
    trying = {"message": "go", "timeout_seconds": 60}
    threads = [
        threading.Thread(target=client.post, args=("/api/agents/sleeper/try",), kwargs={"json": trying})
        for _ in range(MOST_AT_ONCE)
    ]
    for thread in threads:
        thread.start()

    def full() -> bool:
        answer = client.post("/api/agents/writer/try", json={"message": "x"})
        return answer.status_code == 503 and answer.json()["code"] == "too_many_trials"

    installation.until(full)
    release.set()
    for thread in threads:
        thread.join(120)
    assert client.post("/api/agents/writer/try", json={"message": "x"}).status_code == 200
