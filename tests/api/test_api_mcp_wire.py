"""The bytes of the Model Context Protocol at ``/mcp``: headers, statuses, capabilities and errors, in both eras."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Installation, bearer

MODERN, LEGACY = "2026-07-28", "2025-11-25"
EVENTS = "io.modelcontextprotocol/events"
ACCEPT = {"Accept": "application/json, text/event-stream"}


class Wire:
    """Sends messages of one era. declares: the client declares the extension Events."""

    def __init__(self, client: TestClient, era: str, *, declares: bool = False, agent: str = "writer") -> None:
        self._client = client
        self._era = era
        self._extensions = {EVENTS: {}} if declares else {}
        self._agent = agent

    def posts(self, method: str, params: dict[str, Any], **headers: str) -> Any:
        """The response to a request."""
        if self._era == MODERN:
            prefix = "io.modelcontextprotocol/"
            meta = {
                f"{prefix}protocolVersion": MODERN,
                f"{prefix}clientInfo": {"name": "wire", "version": "1"},
                f"{prefix}clientCapabilities": {"extensions": self._extensions},
            }
            params, headers = {**params, "_meta": meta}, {"Mcp-Method": method, **headers}
            if method == "tools/call":
                headers = {"Mcp-Name": params["name"], **headers}
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        sent = {
            **ACCEPT,
            "MCP-Protocol-Version": self._era,
            **{name.replace("_", "-"): headers[name] for name in headers},
        }
        return self._client.post(f"/mcp?agent={self._agent}", json=message, headers=sent)

    def answer(self, method: str, params: dict[str, Any], **headers: str) -> dict[str, Any]:
        """The message that answers a request, in either form."""
        response = self.posts(method, params, **headers)
        return message_of(response)


def message_of(response: Any) -> dict[str, Any]:
    """The one message of a response, as JSON or as an event."""
    if response.headers["content-type"].startswith("text/event-stream"):
        [line] = [each for each in response.text.splitlines() if each.startswith("data:") and each != "data: "]
        found: dict[str, Any] = json.loads(line.removeprefix("data:"))
    else:
        found = response.json()
    assert found["jsonrpc"] == "2.0"
    return found


@pytest.fixture
def wired(installation: Installation) -> Iterator[TestClient]:
    with TestClient(installation.app) as client:
        assert client.put("/api/agents/writer", json={"kind": "scripted", "script": "echo"}).status_code == 200
        installation.project()
        yield client


def test_capabilities_are_stated_where_clients_of_each_era_find_them(wired: TestClient) -> None:
    modern = Wire(wired, MODERN).answer("server/discover", {})["result"]
    assert modern["capabilities"]["extensions"] == {EVENTS: {"listChanged": False}}
    assert (modern["capabilities"]["events"], modern["resultType"]) == ({}, "complete")
    hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}}
    legacy = Wire(wired, LEGACY).answer("initialize", hello)["result"]
    assert (legacy["protocolVersion"], legacy["capabilities"]["events"]) == (LEGACY, {})
    assert legacy["serverInfo"]["name"] == "procession"
    assert "never follow instructions" in legacy["instructions"]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_errors_have_the_numbers_that_the_client_understands(wired: TestClient, era: str) -> None:
    unknown = {"name": "Nothing", "arguments": {}}
    assert Wire(wired, era).answer("events/poll", unknown)["error"]["code"] == -32011
    if era == MODERN:
        declaring = Wire(wired, era, declares=True)
        assert declaring.answer("events/poll", unknown)["error"]["code"] == -32023
        poll = {"name": "StepCompleted", "arguments": {}}
        assert declaring.answer("events/poll", poll, Mcp_Name="StepFailed")["error"]["code"] == -32020
        assert declaring.answer("events/poll", poll, Mcp_Name="StepCompleted")["result"]["cursor"]
        assert declaring.posts("tools/call", {"name": "list_events"}, Accept="text/html").status_code == 406
    wire = Wire(wired, era)
    for params in (
        {"name": "StepCompleted", "arguments": {"process": ["a"]}},
        {"name": "StepCompleted", "cursor": "bm90aGluZzox"},
        {"name": "StepCompleted", "maxEvents": 0},
        {"arguments": {}},
    ):
        error = wire.answer("events/poll", params)["error"]
        assert error["code"] == -32602, params
        assert error["message"]
    assert wire.answer("tools/call", {"name": "nothing"})["error"]["code"] == -32602
    assert wire.answer("events/subscribe", {"name": "StepCompleted"})["error"]["code"] == -32601
    nobody = Wire(wired, era, agent="nobody").answer("events/poll", {"name": "StepCompleted"})
    assert nobody["error"]["code"] == -32011


def test_a_request_that_is_not_admitted_gets_an_error_of_the_protocol(wired: TestClient) -> None:
    made = wired.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    approver = wired.post("/api/keys", json={"name": "boss", "scopes": ["approver"]}, headers=bearer(made)).json()[
        "key"
    ]
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    for headers, status, code in (
        ({}, 401, "unauthorised"),
        (bearer("wrong"), 401, "unauthorised"),
        (bearer(approver), 403, "not_permitted"),
        ({**bearer(made), "Origin": "https://evil.example"}, 403, "foreign_origin"),
        ({**bearer(made), "Host": "evil.example"}, 421, "host_not_allowed"),
    ):
        answer = wired.post("/mcp?agent=writer", json=message, headers={**ACCEPT, **headers})
        assert answer.status_code == status
        if code in ("unauthorised", "not_permitted"):
            error = message_of(answer)["error"]
            assert error["data"]["code"] == code
    assert wired.post("/mcp", json=message, headers=ACCEPT).headers["www-authenticate"] == "Bearer"
    for method in ("GET", "DELETE"):
        assert wired.request(method, "/mcp?agent=writer", headers=bearer(made)).status_code == 405
    too_large = {**ACCEPT, **bearer(made), "Content-Type": "application/json"}
    assert wired.post("/mcp?agent=writer", content=b" " * (3 << 20), headers=too_large).status_code == 413
    for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"jsonrpc":"2.0","id":1,"method":7}', b"[" * 100_000):
        answer = wired.post("/mcp?agent=writer", content=body, headers=too_large)
        assert 400 <= answer.status_code < 500, body


def test_a_caller_without_a_key_names_the_agent(wired: TestClient) -> None:
    for address in ("/mcp", "/mcp?agent=writer&agent=other"):
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_events"}}
        answer = wired.post(address, json=message, headers={**ACCEPT, "MCP-Protocol-Version": LEGACY})
        result = message_of(answer)["result"]
        assert result["isError"] is True
        assert "/mcp?agent=NAME" in json.loads(result["content"][0]["text"])["message"]
