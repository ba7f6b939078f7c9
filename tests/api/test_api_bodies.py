"""Bodies that are hostile or wrong: never a 500, and nothing recorded."""

from typing import Any

import pytest
from starlette.testclient import TestClient

START = "/api/processes/greeting/executions"
JSON = "application/json"
YAML = "application/yaml"
MIB = 1 << 20

HOSTILE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe{}",
    b'{"input": {"name": "\xc3\x28"}}',
    b"\x00",
    b'{"input": {"name": NaN}}',
    b'{"input": {"name": 1e999}}',
    b'{"input": {"name": ' + b"9" * 5000 + b"}}",
    b'{"input": {"name": "\\ud800"}}',
    b'{"input": {"name": "\\u0000"}}',
    b'{"input": {"name": "a", "name": "b"}}',
    b'{"input": ' + b'{"name":' * 200 + b"1" + b"}" * 201,
    b"[" * 100_000,
    b'{"input": {"name": "x"}} trailing',
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_json_that_is_hostile_is_refused_as_malformed(
    shared_client: TestClient, shared: Any, body: bytes, problem_codes: Any
) -> None:
    events = shared.events()
    paths = [("POST", START), ("POST", "/api/processes"), ("PUT", "/api/agents/x"), ("PUT", "/api/processes/greeting")]
    for method, path in paths:
        answer = shared_client.request(method, path, content=body, headers={"Content-Type": JSON})
        assert answer.status_code == 422, (path, answer.text)
        assert len(problem_codes(answer)) > 1
    assert shared.events() == events


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"\x00",
        b"- a list",
        b"name: [unclosed",
        b"steps: []",
        b"name: 'Not a Name'",
        b"a: &a [*a]",
        b"x: &x [" + b"1," * 2000 + b"]\ny: [" + b"*x," * 2000 + b"]",
        b"{" * 5000,
        b"name: !!python/object/apply:os.system [id]",
        b"? {a: b}\n: c",
    ],
    ids=range(12),
)
def test_yaml_that_is_hostile_is_no_draft(
    shared_client: TestClient, shared: Any, body: bytes, problem_codes: Any
) -> None:
    events = shared.events()
    answer = shared_client.post("/api/processes", content=body, headers={"Content-Type": YAML})
    assert answer.status_code == 422
    assert len(problem_codes(answer)) > 1
    assert shared.events() == events
    validated = shared_client.post("/api/processes/validate", content=body, headers={"Content-Type": YAML})
    assert (validated.status_code, validated.json()["valid"]) == (200, False)


def test_a_body_too_large_is_413(shared_client: TestClient, problem_codes: Any) -> None:
    large = b'{"input": {"name": "' + b"x" * (MIB + 2_000) + b'"}}'
    answer = shared_client.post(START, content=large, headers={"Content-Type": JSON})
    assert (answer.status_code, problem_codes(answer)) == (413, ["too_large"])
    larger = b"name: x\n#" + b"x" * 2 * MIB
    answer = shared_client.post("/api/processes", content=larger, headers={"Content-Type": YAML})
    assert (answer.status_code, problem_codes(answer)) == (413, ["too_large"])


def test_a_body_too_large_is_refused_without_its_length_being_told(shared_client: TestClient) -> None:
    chunks = (b"x" * 65_536 for _ in range(40))
    answer = shared_client.post(START, content=chunks, headers={"Content-Type": JSON})
    assert answer.status_code == 413


def test_an_input_of_nearly_a_mib_is_taken(shared_client: TestClient) -> None:
    answer = shared_client.post(START, json={"input": {"name": "x" * (MIB - 100)}})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ";"},
        {"Content-Type": JSON, "Content-Encoding": "gzip"},
        {},
    ],
)
def test_a_body_of_another_kind_is_415(shared_client: TestClient, headers: dict[str, str], problem_codes: Any) -> None:
    for method, path in [("POST", START), ("POST", "/api/processes"), ("PUT", "/api/agents/x")]:
        answer = shared_client.request(method, path, content=b"{}", headers=headers)
        assert (answer.status_code, problem_codes(answer)) == (415, ["unsupported_media_type"])


@pytest.mark.parametrize("kind", [JSON, "application/json; charset=UTF-8", "APPLICATION/JSON", "application/x+json"])
def test_json_is_read_under_each_of_its_names(shared_client: TestClient, kind: str) -> None:
    body = b'{"input": {"name": "Ann"}}'
    assert shared_client.post(START, content=body, headers={"Content-Type": kind}).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/processes/", 404),
        ("PATCH", "/api/processes", 405),
        ("GET", "/api/processes/%F0%9F%92%A5", 404),
        ("GET", "/api/processes/%00", 404),
        ("GET", "/api/processes/..%2f..%2fetc", 404),
        ("GET", "/api/processes/greeting/versions/0", 404),
        ("GET", "/api/processes/greeting/versions/99999999999999999999", 404),
        ("GET", "/api/processes/greeting/versions/one", 404),
        ("GET", "/api/agents/%ED%A0%80", 404),
        ("DELETE", "/api/agents/Nobody", 404),
        ("DELETE", "/api/agents/nobody", 404),
        ("GET", "/api/agents/nobody", 404),
        ("POST", "/api/processes/nothing/publish", 404),
    ],
)
def test_what_is_not_there_is_a_problem_document(
    shared_client: TestClient, method: str, path: str, status: int, problem_codes: Any
) -> None:
    answer = shared_client.request(method, path)
    assert (answer.status_code, problem_codes(answer)[0]) == (
        status,
        "not_found" if status == 404 else "method_not_allowed",
    )


def test_ids_of_other_things_are_not_processes(shared_client: TestClient) -> None:
    agent = shared_client.get("/api/agents/writer").json()["agent_id"]
    execution = shared_client.post(START, json={"input": {"name": "x"}}).json()["execution_id"]
    for id in (agent, execution):
        for command in ("publish", "archive", "executions"):
            assert shared_client.post(f"/api/processes/{id}/{command}", json={}).status_code == 404, command
    assert shared_client.post(f"/api/executions/{agent}/cancel", json={}).status_code == 404


def test_however_many_keys_are_unknown_the_first_hundred_are_answered(shared_client: TestClient) -> None:
    many = {f"unknown{n}": 1 for n in range(1_000)}
    agent = {"kind": "http", "url": "https://agent.example/", **many}
    for answer in (
        shared_client.put("/api/agents/other", json=agent),
        shared_client.post("/api/batches", json={"act": "cancel", "filter": many}),
        shared_client.get("/api/executions", params=many),
    ):
        assert answer.status_code in (400, 422)
        assert len(answer.json()["problems"]) == 100
