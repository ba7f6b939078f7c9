"""A newer version of its template, taken by a process over HTTP: merged, refused, or stated with a text."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation, Making, Shown
from tests.api.test_api_templates import save

YAML = {"Content-Type": "application/yaml"}
UPDATE = "/api/processes/welcome/template-update"
WELCOME = GREETING.replace("name: greeting", "name: welcome")


@pytest.fixture
def made(client: TestClient, installation: Installation, greeting: str) -> TestClient:
    """A process made from the first of two versions of a template; the second greets in other words."""
    id = save(client, greeting)
    assert client.post(f"/api/templates/{id}/use", json={"name": "welcome"}).status_code == 201
    newer = GREETING.replace("Hello", "Good day")
    assert client.put(f"/api/processes/{greeting}", content=newer, headers=YAML).status_code == 200
    save(client, greeting)
    installation.project()
    return client


def draft_of(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/processes/welcome").json()
    return found


def version_of(client: TestClient) -> tuple[int, bool]:
    found = client.get(UPDATE).json()
    return found["template_version"], found["newer"]


def test_the_newer_version_is_taken_once_and_published(made: TestClient, installation: Installation) -> None:
    before = installation.log.last_position()
    rehearsed = made.post(UPDATE + "?dry_run=true", json={})
    assert [each["type"] for each in rehearsed.json()["would"]] == ["ProcessRevised"]
    assert installation.log.last_position() == before
    assert made.post(UPDATE, json={}, headers={"If-Match": '"7"'}).status_code == 412
    once = {"If-Match": '"1"', "Idempotency-Key": "once"}
    taken, again = (made.post(UPDATE, json={"version": 2}, headers=once) for _ in range(2))
    assert (taken.status_code, taken.json()["template_version"]) == (200, 2), taken.text
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    installation.project()
    assert version_of(made) == (2, False)
    uses = made.get(f"/api/templates/{made.get(UPDATE).json()['template_id']}/uses").json()["items"]
    assert [(each["process"], each["template_version"]) for each in uses] == [("welcome", 2)]
    assert "Good day" in draft_of(made)["yaml"]
    assert made.post(UPDATE, json={}).json()["duplicate"] is True
    assert made.post("/api/processes/welcome/publish").status_code == 200
    installation.project()
    published = made.get("/api/events?type=ProcessPublished&limit=200").json()["items"][-1]["data"]
    assert (published["name"], published["template_version"]) == ("welcome", 2)


def test_a_published_process_gets_a_draft(made: TestClient, installation: Installation) -> None:
    assert made.post("/api/processes/welcome/publish").status_code == 200
    assert made.post(UPDATE, json={}).status_code == 200
    installation.project()
    assert (draft_of(made)["version"], "Good day" in draft_of(made)["draft"]["yaml"]) == (1, True)


def test_conflicts_are_refused_until_a_text_states_the_version(made: TestClient, installation: Installation) -> None:
    by_hand = WELCOME.replace("Hello", "Welcome")
    assert made.put("/api/processes/welcome", content=by_hand, headers=YAML).status_code == 200
    refused = made.post(UPDATE, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "template_conflicts")
    assert [each["path"] for each in refused.json()["conflicts"]] == ["steps[greet].message"]
    address = "/api/processes/welcome?template_version="
    assert made.put(address + "3", content=by_hand, headers=YAML).status_code == 404
    stated = made.put(address + "2", content=by_hand, headers=YAML | {"If-Match": '"2"'})
    assert stated.status_code == 200, stated.text
    installation.project()
    assert version_of(made) == (2, False)
    assert "Welcome" in draft_of(made)["yaml"]
    older = made.put(address + "1", content=by_hand, headers=YAML)
    assert (older.status_code, older.json()["problems"][0]["code"]) == (422, "template_version_older")
    assert made.post(UPDATE, json={"version": 1}).status_code == 422
    assert made.put(address + "2", content=by_hand, headers=YAML).json()["duplicate"] is True


def test_nothing_is_taken_of_no_template_or_of_one_that_is_withdrawn(made: TestClient) -> None:
    for path in ("/api/processes/greeting/template-update", "/api/processes/nothing/template-update"):
        assert made.post(path, json={}).status_code == 404
    stated = made.put("/api/processes/greeting?template_version=2", content=GREETING, headers=YAML)
    assert (stated.status_code, stated.json()["code"]) == (404, "not_from_template")
    id = made.get(UPDATE).json()["template_id"]
    assert made.post(f"/api/templates/{id}/withdraw", json={"reason": "old"}).status_code == 200
    refused = made.post(UPDATE, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "template_withdrawn")


def test_a_template_that_the_caller_does_not_see_gives_nothing(
    made: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    stranger = key("designer", name="eve")
    assert made.post(UPDATE, json={}, headers=stranger).json()["code"] == "template_not_found"
    stated = made.put("/api/processes/welcome?template_version=2", content=WELCOME, headers=YAML | stranger)
    assert stated.status_code == 404
    assert made.post(UPDATE, json={}, headers=root).status_code == 200
    events = made.get("/api/events?type=ProcessRevised&limit=200", headers=stranger).json()["items"]
    assert [each["data"]["lineage"] for each in events if each["data"]["name"] == "welcome"] == [None]
