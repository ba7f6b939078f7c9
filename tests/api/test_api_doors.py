"""The door: which hosts, pages, media types and keys are let in."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge.hosts import hosts_of

START = "/api/processes/greeting/executions"
BODY = {"input": {"name": "Ann"}}
KEY = "a key of sixteen characters"
MISSING = "0192f0c1-0000-7000-8000-000000000000"
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://evil.testserver"},
    {"Origin": "http://testserver:81"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "testserver"},
    {"Origin": "http://testserver@evil.example"},
    {"Origin": "file://"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
    {"Referer": "https://evil.example/page?http://testserver/"},
    {"Referer": "http://testserver.evil.example/"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "HTTP://TestServer".lower()},
    {"Origin": "https://testserver"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": "http://testserver/docs"},
]


@pytest.fixture(scope="module")
def operations(shared: Any) -> list[tuple[str, str]]:
    """Every unsafe operation, on things that may exist."""
    there = {"process": "greeting", "name": "writer", "step": "greet", "kind": "timeout", "trigger_id": "new-order"}
    there |= {"act": "build", "projection": "approvals", "position": "1", "template_id": "bundled:content-review"}
    there |= dict.fromkeys(
        ("execution_id", "schedule_id", "alert_id", "key_id", "approval_id", "webhook_id", "batch_id"), MISSING
    )
    return [
        (method.upper(), path.format(**there))
        for path, methods in shared.app.openapi()["paths"].items()
        for method in methods
        if method != "get"
    ]


@pytest.fixture
def recorded(shared: Any) -> Iterator[None]:
    """Nothing is recorded meanwhile."""
    before = shared.events()
    yield
    assert shared.events() == before


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_page_of_another_site_sends_a_command(
    shared_client: TestClient, operations: list[tuple[str, str]], recorded: None, headers: Any, problem_codes: Any
) -> None:
    assert len(operations) > 20
    everywhere = headers in ({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    for method, path in operations if everywhere else operations[:1]:
        answer = shared_client.request(method, path, headers=headers)
        assert (answer.status_code, problem_codes(answer)) == (403, ["foreign_origin"]), (method, path)
    assert shared_client.post(START, json=BODY, headers=headers).status_code == 403
    assert shared_client.get("/api/agents", headers=headers).status_code == 200


def test_a_key_does_not_let_a_page_in(keyed: Any) -> None:
    with TestClient(keyed(KEY).app, headers={"Authorization": f"Bearer {KEY}"}) as client:
        for headers in FOREIGN:
            assert client.put("/api/agents/x", json={}, headers=headers).status_code == 403
        assert client.put("/api/agents/x", json={}).status_code == 422


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_own_pages_and_other_programs_send_commands(shared_client: TestClient, headers: dict[str, str]) -> None:
    assert shared_client.post(START, json=BODY, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("localhost.", 200),
        ("pages.localhost:1", 200),
        ("127.0.0.1:8080", 200),
        ("127.8.9.1", 200),
        ("[::1]:8080", 200),
        ("testserver:9", 200),
        ("evil.example", 421),
        ("testserver.evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evillocalhost", 421),
        ("0.0.0.0", 421),
        ("10.0.0.7:8080", 421),
        ("[::ffff:10.0.0.7]", 421),
        ("", 400),
        ("local host", 400),
        ("localhost:port", 400),
        ("localhost:99999", 400),
        ("localhost/evil", 400),
        ("ann@localhost", 400),
        ("localhost,evil.example", 400),
        ("lo\xe7alhost", 400),
    ],
)
def test_a_door_without_keys_is_reached_under_local_names_only(
    shared_client: TestClient, host: str, status: int
) -> None:
    for path in ("/health/live", "/openapi.json", "/api/agents", "/nothing"):
        answer = shared_client.get(path, headers={"Host": host.encode("latin-1")})
        assert answer.status_code == (404 if (status, path) == (200, "/nothing") else status)
    options = shared_client.options("/api/agents", headers={"Host": host.encode("latin-1")})
    assert options.status_code == (204 if status == 200 else status)


@pytest.mark.parametrize(
    ("public", "allowed", "keyed_", "host", "origin", "status"),
    [
        ("https://p.example", None, False, "p.example", "https://p.example", 422),
        ("https://p.example", None, False, "127.0.0.1:8080", "https://p.example", 422),
        ("https://p.example:8443/a", None, False, "p.example", "https://p.example:8443", 422),
        ("https://p.example:8443", None, False, "localhost", "https://p.example", 403),
        ("https://p.example", None, False, "localhost", "http://p.example", 403),
        (None, ["q.example"], False, "q.example:81", "http://q.example:81", 422),
        (None, ["q.example"], False, "p.example", None, 421),
        (None, None, True, "anything.example", "https://anything.example", 422),
        (None, None, True, "anything.example", "https://evil.example", 403),
        (None, ["q.example"], True, "anything.example", None, 421),
        ("https://p.example", ["q.example"], True, "p.example", None, 422),
    ],
)
def test_an_operator_names_further_hosts(
    installation: Any,
    public: str | None,
    allowed: list[str] | None,
    keyed_: bool,
    host: str,
    origin: str | None,
    status: int,
) -> None:
    installation.hosts = hosts_of(public, allowed, keyed=keyed_)
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    with TestClient(installation.app) as client:
        assert client.put("/api/agents/x", json={}, headers=headers).status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_what_a_form_sends_is_no_command(
    shared_client: TestClient, operations: Any, recorded: None, kind: str, body: bytes
) -> None:
    for method, path in operations:
        answer = shared_client.request(method, path, content=body, headers={"Content-Type": kind})
        # Callers without a token, or of triggers that are not there, learn no more than that.
        expected = 403 if "/steps/" in path and path.endswith(("complete", "fail", "heartbeat")) else 415
        assert answer.status_code == (404 if "/triggers/webhook/" in path else expected), (method, path)


def test_no_page_of_another_site_opens_a_stream(shared_client: TestClient, problem_codes: Any) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = shared_client.get("/api/stream", headers=headers)
        assert (answer.status_code, problem_codes(answer)) == (403, ["foreign_origin"])


@pytest.mark.parametrize(
    "authorisation",
    [
        [f"Bearer {KEY}", f"Bearer {KEY}"],
        [f"Bearer {KEY}", "Bearer other"],
        [f"Basic {KEY}"],
        [f"Bearer{KEY}"],
        [f"Bearer {KEY} x"],
        [f"Bearer {KEY.upper()}"],
        [f"Bearer {KEY[:-1]}"],
        ["Bearer \xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4"],
        ["Bearer"],
    ],
)
def test_the_key_is_shown_once_and_exactly(keyed: Any, authorisation: list[str]) -> None:
    with TestClient(keyed(KEY).app) as client:
        headers = [("Authorization", value.encode("latin-1")) for value in authorisation]
        assert client.get("/api/agents", headers=headers).status_code == 401
        for right in (f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY} "):
            assert client.get("/api/agents", headers={"Authorization": right}).status_code == 200


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Actor", "If-Match", "Content-Type"])
def test_a_header_that_decides_is_stated_once(shared_client: TestClient, recorded: None, header: str) -> None:
    values = {"If-Match": '"2"', "Content-Type": "application/json"}
    twice = [(header, values.get(header, "ann")), (header, values.get(header, "bob"))]
    answer = shared_client.post("/api/processes/greeting/publish", headers=twice)
    assert answer.status_code == (415 if header == "Content-Type" else 400)


def test_a_callback_is_parsed_only_behind_its_token(shared_client: TestClient, problem_codes: Any) -> None:
    path = "/api/executions/0192f0c1-0000-7000-8000-000000000000/steps/greet/complete"
    deep = b'{"token": "x", "attempt": 1, "output": ' + b"[" * 100_000
    for body in (b"", b"{", b"[]", b"\xff", deep, json.dumps({"token": 5, "outptu": 1}).encode()):
        answer = shared_client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, problem_codes(answer)) == (403, ["token_invalid"]), body[:40]


def test_a_webhook_is_read_only_behind_its_secret(
    client: TestClient, installation: Any, monkeypatch: pytest.MonkeyPatch, problem_codes: Any
) -> None:
    source = """
name: orders
triggers: [{type: webhook, id: new-order, secret: "${ORDERS_SECRET}"}]
steps: [{id: read, agent: writer, message: hi}]
"""
    monkeypatch.setenv("ORDERS_SECRET", "a secret of the trigger")
    installation.publish(client, source, writer={"script": "echo"})
    path = "/api/triggers/webhook/new-order"
    sent: list[int] = []

    def chunks(size: int) -> Iterator[bytes]:
        for _ in range(size):
            sent.append(1)
            yield b"x" * 65_536

    for headers in ({}, {"X-Webhook-Secret": "other"}, {"webhook-id": "1", "webhook-timestamp": "1"}):
        answer = client.post(path, content=chunks(100), headers=headers)
        assert (answer.status_code, problem_codes(answer)) == (401, ["webhook_unauthorised"])
    shown = {"X-Webhook-Secret": "a secret of the trigger"}
    assert client.post(path, content=chunks(100), headers=shown).status_code == 413
    for kind, status in [("application/json", 202), ("application/cloudevents+json", 202), ("text/plain", 415)]:
        assert client.post(path, content=b"{}", headers=shown | {"Content-Type": kind}).status_code == status
    assert client.post(path, content=b"{}", headers=shown).status_code == 415
    assert client.post(path, headers=shown).status_code == 202


def test_as_many_streams_are_open_as_the_door_serves(installation: Any) -> None:
    feed = installation.app.state.feed
    feed.enter(2)
    feed.enter(2)
    with pytest.raises(Exception, match="2 streams are open"):
        feed.enter(2)
    feed.leave()
    feed.enter(2)
