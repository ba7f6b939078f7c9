"""Processes over HTTP: drafted in three spellings, revised, validated, published, archived, looked at."""

from typing import Any

import pytest
from starlette.testclient import TestClient

YAML = {"Content-Type": "application/yaml"}
TEXT = "name: second\nsteps:\n  - {id: a, agent: writer, message: hi}\n"
DEFINITION = {"name": "second", "steps": [{"id": "a", "agent": "writer", "message": "hi"}]}


@pytest.mark.parametrize(
    "sent",
    [
        {"content": TEXT, "headers": YAML},
        {"content": TEXT, "headers": {"Content-Type": "text/x-yaml; charset=utf-8"}},
        {"json": {"definition": TEXT}},
        {"json": {"definition": DEFINITION}},
        {"json": DEFINITION},
    ],
)
def test_a_draft_is_sent_as_yaml_or_json(client: TestClient, greeting: str, sent: dict[str, Any]) -> None:
    answer = client.post("/api/processes", **sent)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"process_id", "name", "problems", "warnings", "position"}
    assert (answer.json()["name"], answer.json()["problems"]) == ("second", [])
    assert client.post("/api/processes/second/publish").json()["version"] == 1


def test_a_draft_keeps_its_errors_and_tells_them_where_they_are(client: TestClient, greeting: str) -> None:
    text = "name: second\nsteps:\n  - {id: a, agent: nobody, mesage: hi}\n"
    drafted = client.post("/api/processes", content=text, headers=YAML)
    assert drafted.status_code == 201
    found = {problem["code"]: problem for problem in drafted.json()["problems"]}
    assert found["unknown_key"]["line"] == 3
    assert len(found) >= 2
    published = client.post("/api/processes/second/publish")
    assert published.status_code == 422
    assert len(published.json()["problems"]) >= 2


def test_a_name_in_use_is_refused_and_says_by_whom(client: TestClient, greeting: str) -> None:
    answer = client.post("/api/processes", content="name: greeting\nsteps: []", headers=YAML)
    assert (answer.status_code, answer.json()["code"]) == (409, "process_name_taken")
    assert answer.json()["process_id"] == greeting


def test_validating_records_nothing(client: TestClient, installation: Any, greeting: str) -> None:
    events = installation.events()
    good = client.post("/api/processes/validate", content=TEXT, headers=YAML)
    assert (good.status_code, good.json()) == (200, {"valid": True, "problems": [], "warnings": []})
    wrong = client.post("/api/processes/validate", json={"definition": TEXT.replace("writer", "nobody") + "extra: 1"})
    assert wrong.json()["valid"] is False
    assert ["nobody" in problem["message"] for problem in wrong.json()["problems"]] == [True]
    assert [(found["code"], found["severity"]) for found in wrong.json()["warnings"]] == [("unknown_key", "warning")]
    assert installation.events() == events


WARNED = TEXT.replace("message: hi", "message: hi, sla: 3")


def test_warnings_are_answered_by_every_command_that_reads_a_definition(client: TestClient, greeting: str) -> None:
    def codes(answer: Any, key: str = "warnings") -> list[str]:
        assert answer.status_code < 300, answer.text
        return [found["code"] for found in answer.json()[key]]

    for answer in (
        client.post("/api/processes", content=WARNED, headers=YAML),
        client.put("/api/processes/second", content=WARNED + "# again", headers=YAML),
    ):
        assert codes(answer) == codes(answer, "problems") == ["unknown_key"]
    validated = client.post("/api/processes/validate", content=WARNED, headers=YAML)
    assert (codes(validated), validated.json()["problems"]) == (["unknown_key"], [])
    keyed = {"Idempotency-Key": "once"}
    assert codes(client.post("/api/processes/second/publish", headers=keyed)) == ["unknown_key"]
    assert codes(client.post("/api/processes/second/publish", headers=keyed)) == ["unknown_key"]


def test_warnings_are_errors_where_the_request_is_strict(client: TestClient, greeting: str) -> None:
    strict = client.post("/api/processes/validate?strict=true", content=WARNED, headers=YAML).json()
    assert (strict["valid"], [found["code"] for found in strict["problems"]], strict["warnings"]) == (
        False,
        ["unknown_key"],
        [],
    )
    watched = TEXT.replace("message: hi", "message: hi, roles: {monitors: [nobody]}")
    strict = client.post("/api/processes/validate?strict=true", content=watched, headers=YAML).json()
    assert [found["code"] for found in strict["problems"]] == ["unknown_agent"]
    client.post("/api/processes", content=WARNED, headers=YAML)
    refused = client.post("/api/processes/second/publish?strict=true")
    assert (refused.status_code, [found["code"] for found in refused.json()["problems"]]) == (422, ["unknown_key"])
    assert client.post("/api/processes/second/publish?strict=maybe").status_code == 400
    assert client.post("/api/processes/second/publish?stric=true").json()["code"] == "unknown_filter"
    assert client.post("/api/processes/second/publish?strict=false").status_code == 200


@pytest.mark.parametrize("body", [{"definition": 5}, {"definition": None}, {"definition": TEXT, "version": 1}])
def test_a_wrapped_definition_is_a_text_or_an_object(shared_client: TestClient, body: Any) -> None:
    assert shared_client.post("/api/processes", json=body).status_code == 422


def test_detail_shows_the_latest_version_and_the_draft(client: TestClient, installation: Any, greeting: str) -> None:
    seen = client.get(f"/api/processes/{greeting}").json()
    assert seen == client.get("/api/processes/greeting").json()
    assert (seen["process_id"], seen["status"], seen["version"], seen["has_draft"]) == (
        greeting,
        "published",
        1,
        False,
    )
    assert (seen["labels"], seen["owner"], seen["description"]) == (["demo"], "ann", "Greets.")
    assert [step["id"] for step in seen["definition"]["steps"]] == ["greet", "check"]
    assert seen["yaml"].startswith("\nname: greeting")
    assert seen["roles"][0] == {"step": "greet", "executor": "writer", "monitors": [], "informed": []}
    assert seen["triggers"] == []
    assert (seen["last_run"], seen["success_rate"], seen["draft"]) == (None, None, None)
    revised = client.put("/api/processes/greeting", content=TEXT.replace("second", "greeting"), headers=YAML)
    position = installation.project()
    assert revised.json()["position"] == position
    seen = client.get("/api/processes/greeting", params={"min_position": position}).json()
    assert (seen["has_draft"], seen["version"], seen["yaml"]) == (True, 1, TEXT.replace("second", "greeting"))
    assert [step["id"] for step in seen["definition"]["steps"]] == ["greet", "check"]
    draft = seen["draft"]
    assert (draft["revision"], draft["yaml"]) == (seen["revision"], TEXT.replace("second", "greeting"))
    assert [step["id"] for step in draft["definition"]["steps"]] != ["greet", "check"]
    client.put("/api/processes/greeting", content="name: greeting\nsteps: []", headers=YAML)
    installation.project()
    assert client.get("/api/processes/greeting").json()["draft"]["definition"] is None


def test_published_versions_stay_as_they_were(client: TestClient, installation: Any, greeting: str) -> None:
    client.put("/api/processes/greeting", content=TEXT.replace("second", "greeting"), headers=YAML)
    assert client.post("/api/processes/greeting/publish").json()["version"] == 2
    installation.project()
    first, second = (client.get(f"/api/processes/greeting/versions/{n}").json() for n in (1, 2))
    assert [step["id"] for step in first["definition"]["steps"]] == ["greet", "check"]
    assert [step["id"] for step in second["definition"]["steps"]] == ["a"]
    assert (first["version"], first["actor"], first["name"]) == (1, "user:anonymous", "greeting")
    assert client.get("/api/processes/greeting/versions/3").status_code == 404


def test_the_list_tells_how_runs_went(client: TestClient, installation: Any, start: Any) -> None:
    done, failed = start(), start()
    for step in ("greet", "check"):
        installation.answer(done, step)
    client.post(f"/api/executions/{failed}/cancel", json={})
    installation.project()
    item = client.get("/api/processes").json()["items"][0]
    assert item["last_run"]["execution_id"] == str(failed)
    assert item["executions"] == {"started": 2, "completed": 1, "failed": 0, "cancelled": 1, "archived": 0}
    assert item["success_rate"] == 1.0


def test_the_list_is_filtered_and_paged_by_name(client: TestClient, installation: Any, greeting: str) -> None:
    for name in ("alpha", "beta", "gamma"):
        client.post("/api/processes", content=TEXT.replace("second", name), headers=YAML)
    client.post("/api/processes/greeting/archive", json={"reason": "old"})
    installation.project()

    def names(**filters: Any) -> list[str]:
        return [item["name"] for item in client.get("/api/processes", params=filters).json()["items"]]

    assert names() == ["alpha", "beta", "gamma", "greeting"]
    assert names(status="draft") == ["alpha", "beta", "gamma"]
    assert names(status="archived", owner="ann") == ["greeting"]
    assert names(name="beta,greeting") == ["beta", "greeting"]
    first = client.get("/api/processes", params={"limit": 2}).json()
    rest = client.get("/api/processes", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == names()
    assert rest["next_cursor"] is None


def test_archiving_is_done_once_and_says_why(client: TestClient, installation: Any, greeting: str) -> None:
    assert client.post("/api/processes/greeting/archive", json={"reason": "old"}).status_code == 200
    again = client.post("/api/processes/greeting/archive")
    assert again.json()["duplicate"] is True
    event = client.get("/api/events", params={"type": "ProcessArchived"}).json()["items"]
    assert [each["data"]["reason"] for each in event] == ["old"]
    revise = client.put("/api/processes/greeting", content=TEXT.replace("second", "greeting"), headers=YAML)
    assert (revise.status_code, revise.json()["code"]) == (409, "process_archived")


def test_a_process_comes_out_of_the_archive_and_starts_again(
    client: TestClient, installation: Any, greeting: str
) -> None:
    before = client.get("/api/processes/greeting").json()
    assert client.post("/api/processes/greeting/archive", json={"reason": "old"}).status_code == 200
    refused = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    assert refused.json()["code"] == "process_archived"
    restored = client.post("/api/processes/greeting/restore", json={"reason": "needed"})
    assert restored.status_code == 200
    assert restored.json() == {
        "process_id": before["process_id"],
        "version": before["version"],
        "warnings": [],
        "position": restored.json()["position"],
    }
    assert client.post("/api/processes/greeting/restore").json()["duplicate"] is True
    assert client.post("/api/processes/nothing/restore").status_code == 404
    started = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    assert started.status_code == 202
    installation.project()
    shown = client.get("/api/processes/greeting").json()
    assert (shown["status"], shown["version"], shown["draft"]) == ("published", before["version"], before["draft"])


def test_the_language_is_described(shared_client: TestClient) -> None:
    schema = shared_client.get("/api/schema").json()
    assert schema["$schema"].startswith("https://json-schema.org/draft/2020-12")
    assert "steps" in schema["properties"]


def test_a_paused_process_lets_starts_wait_or_refuses_them(
    client: TestClient, installation: Any, greeting: str
) -> None:
    def start() -> Any:
        return client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})

    pause = "/api/processes/greeting/pause"
    assert client.post(pause, json={"reason": "x", "mode": "stop"}).status_code == 422
    rehearsed = client.post(pause, params={"dry_run": "true"}, json={"reason": "x"}).json()
    assert [each["type"] for each in rehearsed["would"]] == ["ProcessPaused"]
    assert client.post(pause, json={"reason": "broken", "mode": "queue"}).status_code == 200
    waits = start()
    assert waits.status_code == 202
    assert client.post(pause, json={"reason": "worse", "mode": "refuse"}).json().get("duplicate") is None
    refused = start()
    assert (refused.status_code, refused.json()["code"]) == (409, "process_paused")
    installation.project()

    shown = client.get("/api/processes/greeting").json()["paused"]
    assert (shown["mode"], shown["reason"]) == ("refuse", "worse")
    assert client.get(f"/api/executions/{waits.json()['execution_id']}").json()["status"] == "queued"
    assert client.post("/api/processes/greeting/resume").status_code == 200
    assert client.post("/api/processes/greeting/resume").json()["duplicate"] is True
    assert start().status_code == 202
    installation.project()
    assert client.get("/api/processes/greeting").json()["paused"] is None
