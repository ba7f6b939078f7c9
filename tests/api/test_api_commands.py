"""Rules that every command keeps: idempotency keys, versions, actors, request ids."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

START = "/api/processes/greeting/executions"
EXECUTION = "/api/executions/0192f0c1-0000-7000-8000-000000000000"
BODY = {"input": {"name": "Ann"}}


def test_a_repeat_with_the_same_key_gets_the_first_answer_and_records_nothing(
    client: TestClient, installation: Any, greeting: str
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = client.post(START, json=BODY, headers=headers)
    events = installation.events()
    again = client.post(START, json=BODY, headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (202, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert installation.events() == events


def test_a_key_used_for_something_else_is_refused(
    client: TestClient, installation: Any, greeting: str, problem_codes: Any
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    id = client.post(START, json=BODY, headers=headers).json()["execution_id"]
    events = installation.events()
    others = [
        client.post(START, json={"input": {"name": "Bob"}}, headers=headers),
        client.post(f"/api/executions/{id}/cancel", json={}, headers=headers),
    ]
    for answer in others:
        assert answer.status_code == 409
        assert problem_codes(answer) == ["idempotency_key_reused"]
    assert installation.events() == events


def test_one_key_sent_many_times_at_once_starts_one_execution(
    client: TestClient, installation: Any, greeting: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(client.post, START, json=BODY, headers={"Idempotency-Key": "at-once"}) for _ in range(16)]
        answers = [each.result() for each in sent]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["execution_id"] for answer in answers}) == 1
    started = client.get("/api/events", params={"type": "ExecutionStarted"}).json()["items"]
    assert len(started) == 1


def test_a_refused_command_leaves_its_key_unused(client: TestClient, greeting: str) -> None:
    headers = {"Idempotency-Key": "order-2"}
    assert client.post(START, json={}, headers=headers).status_code == 422
    assert client.post(START, json=BODY, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        ("/api/processes", "POST", "name: second\nsteps: [{id: a, agent: writer, message: hi}]", 201),
        ("/api/processes/greeting/publish", "POST", None, 200),
        ("/api/processes/greeting/archive", "POST", None, 200),
        ("/api/agents/second", "PUT", {"kind": "scripted", "script": "echo"}, 200),
        ("/api/agents/writer", "DELETE", None, 200),
    ],
)
def test_every_command_keeps_its_answer_under_its_key(
    client: TestClient, installation: Any, greeting: str, path: str, method: str, body: Any, status: int
) -> None:
    content = {"content": body} if isinstance(body, str) else {"json": body} if body else {}
    headers = {"Idempotency-Key": "once"} | ({"Content-Type": "application/yaml"} if isinstance(body, str) else {})
    first = client.request(method, path, headers=headers, **content)
    assert first.status_code == status, first.text
    events = installation.events()
    again = client.request(method, path, headers=headers, **content)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert installation.events() == events


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "naïve"])
def test_a_key_is_visible_ascii(shared_client: TestClient, key: str, problem_codes: Any) -> None:
    answer = shared_client.post(START, json=BODY, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, problem_codes(answer)[0]) == (400, "invalid_header")


def test_a_stale_version_is_refused_with_the_current_one(client: TestClient, greeting: str, installation: Any) -> None:
    seen = client.get("/api/processes/greeting")
    assert (seen.headers["ETag"], seen.json()["revision"]) == ('"2"', 2)
    yaml = "name: greeting\nsteps: [{id: a, agent: writer, message: hi}]"
    headers = {"Content-Type": "application/yaml", "If-Match": seen.headers["ETag"]}
    assert client.put("/api/processes/greeting", content=yaml, headers=headers).status_code == 200
    events = installation.events()
    stale = client.put("/api/processes/greeting", content=yaml + "\n", headers=headers)
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "stale_version", 3)
    for command in ("publish", "archive"):
        answer = client.post(f"/api/processes/greeting/{command}", headers={"If-Match": '"2"'})
        assert answer.status_code == 412
    assert installation.events() == events
    assert client.post("/api/processes/greeting/publish", headers={"If-Match": '"3"'}).status_code == 200
    assert client.post("/api/processes/greeting/archive", headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("header", ["2", '"two"', '"-1"', '"99999999999999999999"', '"2", "3"'])
def test_a_version_that_cannot_be_understood_is_400(shared_client: TestClient, header: str, problem_codes: Any) -> None:
    answer = shared_client.post("/api/processes/greeting/publish", headers={"If-Match": header})
    assert (answer.status_code, problem_codes(answer)[0]) == (400, "invalid_header")


def test_events_say_who_acted_and_because_of_which_request(client: TestClient, greeting: str) -> None:
    headers = {"X-Actor": "ann@example.org", "X-Request-Id": "req-7"}
    answer = client.post(START, json=BODY, headers=headers)
    assert answer.headers["X-Request-Id"] == "req-7"
    event = client.get(f"/api/executions/{answer.json()['execution_id']}/events").json()["items"][0]
    assert (event["actor"], event["causation"]) == ("user:ann@example.org", "req-7")


def test_a_request_without_an_id_gets_one_of_its_own(shared_client: TestClient) -> None:
    ids = {shared_client.get("/health/live").headers["X-Request-Id"] for _ in range(3)}
    ids.add(shared_client.get("/health/live", headers={"X-Request-Id": "two words"}).headers["X-Request-Id"])
    assert len(ids) == 4
    assert "two words" not in ids


@pytest.mark.parametrize("actor", ["", "a b", "x" * 65, "ann;drop"])
def test_an_actor_is_a_plain_name(shared_client: TestClient, actor: str, problem_codes: Any) -> None:
    answer = shared_client.post(START, json=BODY, headers={"X-Actor": actor})
    assert (answer.status_code, problem_codes(answer)[0]) == (400, "invalid_header")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", START),
        ("POST", "/api/processes"),
        ("PUT", "/api/processes/greeting"),
        ("POST", "/api/processes/greeting/publish"),
        ("PUT", "/api/agents/writer"),
        ("DELETE", "/api/agents/writer"),
        ("POST", f"{EXECUTION}/retry"),
        ("POST", f"{EXECUTION}/steps/greet/skip"),
        ("POST", f"{EXECUTION}/steps/greet/heartbeat"),
        ("POST", f"{EXECUTION}/timers/greet/timeout/fire"),
        ("GET", "/api/timers"),
        ("GET", "/api/processes/greeting"),
        ("GET", "/api/agents"),
        ("GET", "/api/events"),
        ("GET", "/api/projections"),
        ("GET", "/api/schema"),
        ("GET", "/api/stream"),
        ("GET", "/health/ready"),
    ],
)
def test_unknown_parameters_are_refused_on_every_route(
    shared_client: TestClient, method: str, path: str, problem_codes: Any
) -> None:
    answer = shared_client.request(method, f"{path}?dryrun=1")
    assert (answer.status_code, problem_codes(answer)) == (400, ["unknown_filter", "unknown_filter"])
    assert "dryrun" in answer.json()["detail"]


def test_a_key_belongs_to_the_actor_who_used_it(
    client: TestClient, installation: Any, greeting: str, problem_codes: Any
) -> None:
    def start(actor: str, body: Any = BODY) -> Any:
        return client.post(START, json=body, headers={"Idempotency-Key": "order-1", "X-Actor": actor})

    ann, bob = start("ann"), start("bob")
    assert ann.json()["execution_id"] != bob.json()["execution_id"]
    assert "Idempotency-Replayed" not in bob.headers
    for actor, first in (("ann", ann), ("bob", bob), ("ann", ann)):
        again = start(actor)
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
        other = start(actor, {"input": {"name": "Bob"}})
        assert (other.status_code, problem_codes(other)) == (409, ["idempotency_key_reused"])
    events = [each["actor"] for each in client.get("/api/events", params={"type": "ExecutionStarted"}).json()["items"]]
    assert events == ["user:ann", "user:bob"]


def test_a_key_used_by_several_actors_at_once_starts_one_execution_each(client: TestClient, greeting: str) -> None:
    def start(actor: str) -> Any:
        headers = {"Idempotency-Key": "at-once", "X-Actor": actor}
        return actor, client.post(START, json=BODY, headers=headers).json()["execution_id"]

    with ThreadPoolExecutor(8) as pool:
        started = set(pool.map(start, ["ann", "bob", "eve"] * 6))
    assert len(started) == 3
    assert len({id for _, id in started}) == 3


def test_an_answer_that_the_release_before_stored_is_repeated_to_its_actor_only(
    client: TestClient, installation: Any, greeting: str
) -> None:
    def start(actor: str) -> Any:
        return client.post(START, json=BODY, headers={"Idempotency-Key": "order-1", "X-Actor": actor})

    first = start("ann")
    with installation.datastore.reading() as connection:
        connection.execute("""update idempotency_keys set
            answer = convert_to((convert_from(answer, 'UTF8')::jsonb - 'actor')::text, 'UTF8')""")
    assert start("ann").json() == first.json()
    assert start("bob").json()["execution_id"] != first.json()["execution_id"]
