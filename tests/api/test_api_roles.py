"""The matrix of roles over HTTP: of a draft, of a published version, with problems and without."""

from typing import Any

from starlette.testclient import TestClient

from tests.api.conftest import Installation

YAML = {"Content-Type": "application/yaml"}
CLAIM = """
name: claim
defaults: {roles: {monitors: [supervisor], informed: [archive]}}
steps:
  - {id: read, name: Read it, agent: clerk, message: Read, roles: {monitors: ["team:claims"]}}
  - {id: decide, type: agent_task, message: Decide, depends_on: read}
  - {id: route, type: gateway, depends_on: read, routes: [{default: true, target: decide}]}
"""


def roles(client: TestClient, **parameters: str) -> Any:
    answer = client.get("/api/processes/claim/roles", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_matrix_of_a_draft_names_what_is_missing(client: TestClient, installation: Installation) -> None:
    client.put("/api/agents/clerk", json={"kind": "scripted", "script": "echo"})
    assert client.post("/api/processes", content=CLAIM, headers=YAML).status_code == 201
    installation.project()
    found = roles(client)
    assert (found["of"], found["version"], found["revision"]) == ("draft", None, 1)
    assert [(step["step"], step["name"], step["may"], step["executor_required"]) for step in found["steps"]] == [
        ("read", "Read it", ["executor", "monitor", "informed"], True),
        ("decide", "decide", ["executor", "monitor", "informed"], True),
        ("route", "route", [], False),
    ]
    assert found["cells"] == {
        "read": {"clerk": "executor", "team:claims": "monitor", "archive": "informed"},
        "decide": {"supervisor": "monitor", "archive": "informed"},
        "route": {},
    }
    assert found["own"] == {"read": ["clerk", "team:claims"], "decide": [], "route": []}
    assert {agent["name"]: agent["status"] for agent in found["agents"]} == {
        "archive": "unknown",
        "clerk": "active",
        "supervisor": "unknown",
        "team:claims": "team",
    }
    problems = {(each["code"], each["path"], each.get("severity", "error")) for each in found["problems"]}
    assert ("missing_field", "steps[1].agent", "error") in problems
    assert ("unknown_agent", "defaults.roles.monitors[0]", "warning") in problems
    assert not [path for _, path, _ in problems if path.startswith("steps[0].roles")]


def test_a_draft_beside_a_version_has_roles_of_its_own(client: TestClient, installation: Installation) -> None:
    text = CLAIM.replace("type: agent_task", "agent: clerk")
    installation.publish(client, text, clerk={"script": "echo"})
    revised = client.put("/api/processes/claim", content=text.replace("agent: clerk", "agent: judge", 1), headers=YAML)
    assert revised.status_code == 200, revised.text
    installation.project()
    assert roles(client)["cells"]["read"]["judge"] == "executor"
    published = roles(client, of="published")
    assert (published["of"], published["version"]) == ("published", 1)
    assert published["cells"]["read"]["clerk"] == "executor"
    assert client.get("/api/processes/claim/roles", params={"of": "both"}).status_code == 400


def test_what_is_not_there_has_no_roles(client: TestClient, installation: Installation) -> None:
    assert client.get("/api/processes/nobody/roles").status_code == 404
    client.post("/api/processes", content=CLAIM, headers=YAML)
    installation.project()
    assert client.get("/api/processes/claim/roles", params={"of": "published"}).status_code == 404
