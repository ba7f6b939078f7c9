"""Agents that answer later: they show the attempt's token, and may say it twice."""

from typing import Any
from uuid import UUID

import anyio
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from domain.agents.calls import callback_token
from domain.language.types.steps.retry import MOST_ATTEMPTS

KEY = b"callback key of tests"


@pytest.fixture
def called(installation: Any, start: Any) -> UUID:
    """An execution whose first step was taken by a worker."""
    id: UUID = start()
    installation.take(id, "greet")
    return id


def path(id: UUID, outcome: str = "complete", step: str = "greet") -> str:
    return f"/api/executions/{id}/steps/{step}/{outcome}"


def token(id: UUID, step: str = "greet", attempt: int = 1) -> str:
    return callback_token(KEY, id, step, attempt)


def test_an_answer_completes_the_step_once(client: TestClient, installation: Any, called: UUID) -> None:
    body = {
        "attempt": 1,
        "token": token(called),
        "output": {"text": "hi"},
        "usage": {"input_tokens": 3, "output_tokens": 4, "model": "m"},
        "cost": {"amount": "0.0049", "currency": "USD"},
    }
    answer = client.post(path(called), json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "execution_id": str(called),
        "step": "greet",
        "attempt": 1,
        "duplicate": False,
        "position": installation.log.last_position(),
    }
    events = installation.events()
    again = client.post(path(called), json=body)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert installation.events() == events
    installation.project()
    seen = client.get(f"/api/executions/{called}").json()
    assert seen["cost"]["own"] == [{"amount": "0.0049", "currency": "USD"}]
    assert [step["status"] for step in seen["steps"]] == ["completed", "scheduled"]
    actors = {each["actor"] for each in client.get(f"/api/executions/{called}/events").json()["items"]}
    assert "agent:callback" in actors


def test_a_number_as_amount_stays_exact(client: TestClient, installation: Any, called: UUID) -> None:
    body = b'{"attempt":1,"token":"%s","output":1,"cost":{"amount":0.10000000000000000001,"currency":"EUR"}}'
    content = body % token(called).encode()
    assert client.post(path(called), content=content, headers={"Content-Type": "application/json"}).status_code == 200
    installation.project()
    own = client.get(f"/api/executions/{called}").json()["cost"]["own"]
    assert own == [{"amount": "0.10000000000000000001", "currency": "EUR"}]


def test_a_failure_ends_the_execution(client: TestClient, installation: Any, called: UUID) -> None:
    body = {"attempt": 1, "error": {"code": "no_idea", "message": "none", "permanent": True}}
    answer = client.post(path(called, "fail"), json=body, headers={"Authorization": f"Bearer {token(called)}"})
    assert answer.status_code == 200
    assert installation.executions.load(called).status == "failed"
    late = client.post(path(called), json={"attempt": 1, "token": token(called), "output": 1})
    assert (late.status_code, late.json()["duplicate"]) == (200, True)


def test_only_the_token_of_the_attempt_opens_the_door(
    client: TestClient, installation: Any, called: UUID, start: Any, problem_codes: Any
) -> None:
    other = start()
    installation.take(other, "greet")
    events = installation.events()
    for wrong in ("x", token(other), token(called, "check"), token(called)[:-1], "\N{SNOWMAN}", None):
        body = {"attempt": 1, "output": 1} | ({"token": wrong} if wrong is not None else {})
        answer = client.post(path(called), json=body)
        assert (answer.status_code, problem_codes(answer)) == (403, ["token_invalid"])
    assert installation.events() == events


@pytest.mark.parametrize("outcome", ["complete", "fail", "heartbeat"])
@pytest.mark.parametrize("shown", ["x", "0" * 64, "\N{SNOWMAN}"])
def test_a_wrong_bearer_token_is_refused_before_the_body_is_read(
    client: TestClient, called: UUID, outcome: str, shown: str
) -> None:
    async def receive() -> Message:
        raise AssertionError("the body is read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"host": "localhost", "content-length": "1000000", "authorization": f"Bearer {shown}"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path(called, outcome),
        "raw_path": path(called, outcome).encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    anyio.run(client.app, scope, receive, send)
    assert sent[0]["status"] == 403


def test_the_bearer_token_of_any_attempt_that_a_retry_allows_is_accepted(client: TestClient, called: UUID) -> None:
    body = {"attempt": MOST_ATTEMPTS, "output": 1}
    shown = {"Authorization": f"Bearer {token(called, attempt=MOST_ATTEMPTS)}"}
    answer = client.post(path(called), json=body, headers=shown)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_attempt")


def test_a_wrong_attempt_is_a_conflict(client: TestClient, called: UUID) -> None:
    begun_never = {"attempt": 2, "token": token(called, attempt=2), "output": 1}
    other_token = {"attempt": 2, "token": token(called), "output": 1}
    for body in (begun_never, other_token):
        answer = client.post(path(called), json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_attempt")


def test_a_step_that_is_not_there_is_404(client: TestClient, called: UUID) -> None:
    body = {"attempt": 1, "token": token(called, "nothing"), "output": 1}
    assert client.post(path(called, step="nothing"), json=body).status_code == 404
    absent = UUID(int=1)
    assert client.post(path(absent), json={"attempt": 1, "token": token(absent), "output": 1}).status_code == 404


def test_all_that_is_wrong_with_an_answer_is_said_at_once(client: TestClient, called: UUID) -> None:
    body = {
        "attempt": 0,
        "token": 5,
        "usage": {"input_tokens": -1},
        "cost": {"amount": "-1", "currency": "USD"},
        "outptu": 1,
    }
    shown = {"Authorization": f"Bearer {token(called)}"}
    document = client.post(path(called), json=body, headers=shown).json()
    assert document["status"] == 422
    assert sorted(problem["path"] for problem in document["problems"]) == [
        "attempt",
        "cost",
        "outptu",
        "output",
        "token",
        "usage",
    ]
    bad_error = {"attempt": 1, "error": {"code": "Not A Code", "permanent": "yes", "details": {}}}
    document = client.post(path(called, "fail"), json=bad_error, headers=shown).json()
    assert sorted(problem["path"] for problem in document["problems"]) == [
        "error.code",
        "error.details",
        "error.message",
        "error.permanent",
    ]
