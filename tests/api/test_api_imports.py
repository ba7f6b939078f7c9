"""Definitions that others wrote, with an older placeholder in the place of their name, become drafts under a name."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Installation

YAML = {"Content-Type": "application/yaml"}
OLDER = """# Written for another engine.
name: "{{name}}"
description: The {{ process_name }} of old   # kept
labels: ["{{process_name}}"]
steps:
  - {id: a, agent: writer, message: hi}
"""
NAMED = OLDER.replace('"{{name}}"', '"intake"').replace("{{ process_name }}", "intake")
NAMED = NAMED.replace('"{{process_name}}"', '"intake"')


@pytest.mark.parametrize("sent", [{"content": OLDER, "headers": YAML}, {"json": {"definition": OLDER}}])
def test_an_older_definition_becomes_a_draft_under_the_name_beside_it(
    client: TestClient, installation: Installation, greeting: str, sent: dict[str, Any]
) -> None:
    answer = client.post("/api/processes?name=intake", **sent)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["problems"]) == ("intake", [])
    installation.project()
    assert client.get("/api/processes/intake").json()["yaml"] == NAMED
    assert client.post("/api/processes/intake/publish").json()["version"] == 1


def test_without_a_name_it_is_refused_and_the_ways_to_give_one_are_named(client: TestClient, greeting: str) -> None:
    refused = client.post("/api/processes", content=OLDER, headers=YAML)

    (problem,) = refused.json()["problems"]
    assert (refused.status_code, problem["code"], problem["line"]) == (422, "invalid_name", 2)
    assert "?name=" in problem["hint"]


def test_a_text_that_states_another_name_is_refused_where_it_does(client: TestClient, greeting: str) -> None:
    text = OLDER.replace('"{{name}}"', "mine")
    refused = client.post("/api/processes?name=intake", content=text, headers=YAML)
    checked = client.post("/api/processes/validate?name=intake", content=text, headers=YAML)

    for problems in (refused.json()["problems"], checked.json()["problems"]):
        assert [(each["code"], each["path"], each["line"]) for each in problems] == [("name_differs", "name", 2)]
    assert (refused.status_code, checked.status_code, checked.json()["valid"]) == (422, 200, False)


def test_a_check_takes_the_name_too(client: TestClient, greeting: str) -> None:
    checked = client.post("/api/processes/validate?name=intake&strict=true", content=OLDER, headers=YAML).json()
    unnamed = client.post("/api/processes/validate", content=OLDER, headers=YAML).json()

    assert (checked["valid"], checked["problems"], checked["warnings"]) == (True, [], [])
    assert [each["code"] for each in unnamed["problems"]] == ["invalid_name"]


@pytest.mark.parametrize("name", ["", "A%20name", "x" * 65, "a%00", "%7B%7Bname%7D%7D"])
def test_what_names_no_process_is_refused(client: TestClient, greeting: str, name: str) -> None:
    for path in ("/api/processes", "/api/processes/validate"):
        refused = client.post(f"{path}?name={name}", content=OLDER, headers=YAML)
        assert refused.status_code == 400, refused.text
        assert refused.json()["problems"]


def test_the_same_request_again_drafts_once_and_another_name_is_another_request(
    client: TestClient, installation: Installation, greeting: str
) -> None:
    once = {"Idempotency-Key": "import-1", **YAML}
    first = client.post("/api/processes?name=intake", content=OLDER, headers=once)
    again = client.post("/api/processes?name=intake", content=OLDER, headers=once)
    other = client.post("/api/processes?name=outtake", content=OLDER, headers=once)

    assert (again.json()["process_id"], again.json()["position"]) == (
        first.json()["process_id"],
        first.json()["position"],
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    installation.project()
    assert client.get("/api/processes/outtake").status_code == 404
