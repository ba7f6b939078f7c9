"""Agents over HTTP: registered, replaced, retired, listed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

ECHO = {"kind": "scripted", "script": "echo"}


def test_an_agent_is_registered_once_and_replaced_by_another_configuration(
    client: TestClient, installation: Any
) -> None:
    first = client.put("/api/agents/writer", json=ECHO)
    assert (first.status_code, first.json()) == (200, {"name": "writer", "position": 1})
    assert client.put("/api/agents/writer", json=ECHO).json()["duplicate"] is True
    assert client.put("/api/agents/writer", json={"kind": "http", "url": "https://a.example"}).status_code == 200
    installation.project()
    seen = client.get("/api/agents/writer").json()
    assert (seen["name"], seen["kind"], seen["status"]) == ("writer", "http", "active")
    assert seen["config"]["url"] == "https://a.example"
    assert seen["as_of_position"] == 2


def test_a_configuration_is_refused_with_every_problem_and_never_repeats_a_secret(client: TestClient) -> None:
    body = {"kind": "openai_chat", "api_key": "sk-very-secret", "modell": "x"}
    answer = client.put("/api/agents/Bad Name", json=body)
    assert answer.status_code == 422
    codes = {problem["code"] for problem in answer.json()["problems"]}
    assert {"invalid_name", "secret_not_a_reference", "unknown_key", "missing"} <= codes
    assert "sk-very-secret" not in answer.text


@pytest.mark.parametrize(
    ("config", "code", "path"),
    [
        ({"url": "https://a.example", "headers": {"X-Key": "${SOMEBODYS_KEY}"}}, "secret_not_allowed", "headers.X-Key"),
        ({"url": "https://a.example", "headers": {"X-A": "${procession_api_key}"}}, "secret_reserved", "headers.X-A"),
        ({"url": "https://a.example", "headers": {"X-A": "${Database_Url}"}}, "secret_reserved", "headers.X-A"),
        ({"url": "http://169.254.169.254/latest"}, "address_denied", "url"),
        ({"url": "http://0xa9fea9fe/latest"}, "address_denied", "url"),
        ({"url": "http://[::ffff:a9fe:a9fe]/"}, "address_denied", "url"),
        (
            {"url": "https://a.example", "cancel_url": "http://metadata.google.internal/"},
            "address_denied",
            "cancel_url",
        ),
        ({"kind": "openai_chat", "model": "m", "base_url": "http://100.100.100.200/v1"}, "address_denied", "base_url"),
    ],
)
def test_what_the_operator_does_not_allow_is_refused_at_once(
    shared_client: TestClient, config: dict[str, Any], code: str, path: str
) -> None:
    answer = shared_client.put("/api/agents/refused", json={"kind": "http", **config})
    assert answer.status_code == 422
    found = answer.json()["problems"]
    assert [(problem["code"], problem["path"]) for problem in found] == [(code, path)]
    assert code == "secret_reserved" or found[0]["hint"]


def test_a_retired_agent_stays_in_the_directory(client: TestClient, installation: Any) -> None:
    client.put("/api/agents/writer", json=ECHO)
    client.put("/api/agents/reader", json=ECHO)
    assert client.request("DELETE", "/api/agents/writer", json={"reason": "tired"}).status_code == 200
    assert client.delete("/api/agents/writer").json()["duplicate"] is True
    installation.project()

    def names(**filters: Any) -> list[str]:
        return [item["name"] for item in client.get("/api/agents", params=filters).json()["items"]]

    assert names() == ["reader", "writer"]
    assert names(status="retired") == ["writer"]
    assert names(status="active", kind="scripted") == ["reader"]
    assert names(kind="http") == []
    page = client.get("/api/agents", params={"limit": 1}).json()
    assert names(cursor=page["next_cursor"]) == ["writer"]
    assert client.get("/api/agents/writer").json()["retired_at"] is not None


def test_the_limit_of_an_agent_is_set_shown_replaced_and_refused(client: TestClient, installation: Any) -> None:
    def put(body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = client.put("/api/agents/writer", json=body).json()
        return answer

    assert "duplicate" not in put(ECHO | {"max_open": 3})
    assert put(ECHO | {"max_open": 3})["duplicate"] is True
    installation.project()
    seen = client.get("/api/agents/writer").json()
    assert (seen["max_open"], "max_open" in seen["config"]) == (3, False)
    assert "duplicate" not in put(ECHO)
    installation.project()
    assert client.get("/api/agents").json()["items"][0]["max_open"] is None
    assert [problem["path"] for problem in put(ECHO | {"max_open": 0})["problems"]] == ["max_open"]
