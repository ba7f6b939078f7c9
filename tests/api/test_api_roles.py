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


def put(client: TestClient, status: int = 200, *, of: str = "draft", match: int | None = None, **body: Any) -> Any:
    headers = {} if match is None else {"If-Match": f'"{match}"'}
    answer = client.put("/api/processes/claim/roles", params={"of": of}, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_change_set_edits_the_draft_where_the_roles_stand(client: TestClient, installation: Installation) -> None:
    assert client.post("/api/processes", content=CLAIM, headers=YAML).status_code == 201
    changed = put(
        client,
        match=1,
        assign=[
            {"step": "read", "agent": "judge", "role": "executor"},
            {"step": "decide", "agent": "clerk", "role": "executor"},
            {"step": "decide", "agent": "team:claims", "role": "monitor"},
        ],
        revoke=[{"step": "read", "agent": "team:claims"}, {"step": "decide", "agent": "archive"}],
        reason="Ann moved",
    )
    assert (changed["of"], changed["revision"]) == ("draft", 2)
    installation.project()
    assert roles(client)["cells"] == {
        "read": {"judge": "executor", "archive": "informed"},
        "decide": {"clerk": "executor", "supervisor": "monitor", "team:claims": "monitor"},
        "route": {},
    }
    source = client.get("/api/processes/claim").json()["draft"]["yaml"]
    assert source == CLAIM.replace("agent: clerk", "agent: judge").replace('["team:claims"]', "[]").replace(
        "message: Decide, depends_on: read",
        'message: Decide, depends_on: read, agent: clerk, roles: {monitors: [supervisor, "team:claims"], informed: []}',
    )
    assert put(client, 412, match=1, assign=[{"step": "read", "agent": "ann", "role": "informed"}])["version"] == 2


def test_a_change_set_is_refused_with_all_its_problems(client: TestClient, installation: Installation) -> None:
    assert client.post("/api/processes", content=CLAIM, headers=YAML).status_code == 201
    refused = put(
        client,
        422,
        assign=[
            {"step": "reed", "agent": "judge", "role": "executor"},
            {"step": "route", "agent": "judge", "role": "monitor"},
            {"step": "read", "agent": "No Name", "role": "monitor"},
            {"step": "read", "agent": "judge", "role": "executr"},
            {"step": "read", "agent": "team:claims", "role": "informed"},
            {"step": "decide", "agent": "ann", "role": "executor"},
            {"step": "decide", "agent": "bob", "role": "executor"},
            {"step": "decide", "agent": "ann", "role": "informed"},
        ],
        revoke=[{"step": "decide", "agent": "bob"}],
    )
    assert [(each["code"], each["path"]) for each in refused["problems"]] == [
        ("unknown_step", "assign[0].step"),
        ("role_not_taken", "assign[1].role"),
        ("invalid_name", "assign[2].agent"),
        ("unknown_role", "assign[3].role"),
        ("team_not_taken", "assign[4].agent"),
        ("two_executors", "assign[6].role"),
        ("said_twice", "assign[7]"),
        ("said_twice", "revoke[0]"),
    ]
    wrong = put(client, 422, assign=[{"step": "read"}], surprise=1)
    assert {each["path"] for each in wrong["problems"]} == {"assign", "surprise"}


def test_a_step_left_without_executor_is_saved_and_stops_a_publication(
    client: TestClient, installation: Installation
) -> None:
    text = CLAIM.replace("type: agent_task", "agent: clerk")
    installation.publish(client, text, clerk={"script": "echo"})
    begun = put(client, revoke=[{"step": "decide", "agent": "clerk"}])
    assert [each["path"] for each in begun["problems"] if each.get("severity", "error") == "error"] == [
        "steps[1].agent"
    ]
    assert client.post("/api/processes/claim/publish").status_code == 422
    put(client, assign=[{"step": "decide", "agent": "clerk", "role": "executor"}])
    assert client.post("/api/processes/claim/publish").json()["version"] == 1


def test_roles_on_a_published_version_change_and_its_draft_with_them(
    client: TestClient, installation: Installation
) -> None:
    text = CLAIM.replace("type: agent_task", "agent: clerk")
    installation.publish(client, text, clerk={"script": "echo"})
    installation.project()
    revision = roles(client, of="published")["revision"]
    assigned = [{"step": "decide", "agent": "ann", "role": "monitor"}]
    frozen = put(
        client,
        409,
        of="published",
        assign=[*assigned, {"step": "read", "agent": "clerk", "role": "informed"}],
    )
    assert (frozen["code"], [each["path"] for each in frozen["problems"]]) == ("executor_frozen", ["assign[1].role"])

    changed = put(client, of="published", match=revision, assign=assigned, reason="Ann owns it")
    installation.project()
    now = roles(client, of="published")
    assert now["revision"] == changed["revision"]
    assert now["cells"]["decide"] == {
        "clerk": "executor",
        "supervisor": "monitor",
        "archive": "informed",
        "ann": "monitor",
    }
    assert "ann" in now["own"]["decide"]
    unknown = ("unknown_agent", "steps[1].roles")
    assert [(each["code"], each["path"]) for each in changed["warnings"]] == [unknown]
    assert unknown in [(each["code"], each["path"]) for each in now["problems"]]
    assert client.get("/api/processes/claim").json()["draft"] is None
    put(client, 412, of="published", match=revision, assign=assigned)
    assert put(client, of="published", assign=assigned)["duplicate"]

    put(client, assign=[{"step": "read", "agent": "bob", "role": "informed"}])
    installation.project()
    assert roles(client)["cells"]["decide"]["ann"] == "monitor"
    put(client, of="published", assign=[{"step": "read", "agent": "cyd", "role": "monitor"}])
    installation.project()
    assert roles(client)["cells"]["read"] == {
        "clerk": "executor",
        "team:claims": "monitor",
        "cyd": "monitor",
        "archive": "informed",
        "bob": "informed",
    }
    assert client.put("/api/processes/claim", content=text + "# mine\n", headers=YAML).status_code == 200
    client.put("/api/processes/claim", content=text.replace("message: Read", "message: Do"), headers=YAML)
    published = client.post("/api/processes/claim/publish").json()
    assert (published["version"], published["roles_taken_away"]) == (
        2,
        [{"step": "decide", "agent": "ann", "role": "monitor"}, {"step": "read", "agent": "cyd", "role": "monitor"}],
    )
