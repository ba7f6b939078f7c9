"""Keys over HTTP that are limited to processes, and principals who decide approvals."""

from typing import Any

from starlette.testclient import TestClient

from domain.identity import process_id, schedule_id
from tests.api.conftest import GREETING, Installation, Making, Shown

OTHER = GREETING.replace("name: greeting", "name: claims-intake")
CALLING = """
name: claims-calling
steps:
  - {id: the-call, type: sub_process, process: greeting, input_mapping: {name: Ann}}
"""


def test_a_key_that_is_limited_to_processes_sees_nothing_else(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    ids = {}
    client.headers.update(root)
    for name, source in (("greeting", GREETING), ("claims-intake", OTHER), ("claims-calling", CALLING)):
        installation.publish(client, source, writer={"script": "echo"})
        given = {"name": "Ann"} if name != "claims-calling" else {}
        answer = client.post(f"/api/processes/{name}/executions", json={"input": given})
        ids[name] = answer.json()["execution_id"]
    installation.project()
    for header in root:
        del client.headers[header]
    desk = key("operator", "designer", name="desk", processes=["claims-*"])
    listed = client.get("/api/executions?include_children=true", headers=desk).json()["items"]
    assert {item["process"] for item in listed} == {"claims-intake", "claims-calling"}
    assert {item["name"] for item in client.get("/api/processes", headers=desk).json()["items"]} == {
        "claims-intake",
        "claims-calling",
    }
    assert client.get(f"/api/executions/{ids['claims-intake']}", headers=desk).status_code == 200
    for path in (
        f"/api/executions/{ids['greeting']}",
        f"/api/executions/{ids['greeting']}/events",
        f"/api/stream?execution={ids['greeting']}",
        "/api/processes/greeting",
        "/api/events",
    ):
        assert client.get(path, headers=desk).status_code == 404, path
    outside = f"/api/executions/{ids['greeting']}/cancel"
    assert client.post(outside, json={"reason": "no"}, headers=desk).status_code == 404
    assert client.post("/api/processes/greeting/executions", json={}, headers=desk).status_code == 404
    draft = {"content": GREETING.replace("greeting", "other"), "headers": desk | {"Content-Type": "application/yaml"}}
    assert client.post("/api/processes", **draft).status_code == 404
    assert client.get("/api/agents", headers=desk).json()["items"][0]["config"] is None


def projected(client: TestClient, installation: Installation) -> Any:
    installation.project()
    return client.get("/api/executions?include_children=true").json()["items"]


def test_what_points_outside_is_restricted(
    client: TestClient, installation: Installation, root: Shown, key: Making, worker: Any
) -> None:
    client.headers.update(root)
    installation.publish(client, GREETING, writer={"script": "echo"})
    installation.publish(client, CALLING)
    parent = installation.begin(client, "claims-calling")
    installation.until(lambda: len(projected(client, installation)) == 2)
    for header in root:
        del client.headers[header]
    desk = key("viewer", name="desk", processes=["claims-*"])
    [step] = client.get(f"/api/executions/{parent}", headers=desk).json()["steps"]
    assert [child["process"] for child in step["children"]] == ["restricted"]
    child = step["children"][0]["execution_id"]
    events = client.get(f"/api/executions/{parent}/events", headers=desk)
    [called] = [each["data"] for each in events.json()["items"] if each["type"] == "SubProcessStarted"]
    assert (called["process"], called["process_id"], called["child"]) == ("restricted", None, child)
    end = installation.log.last_position()
    first = events.json()["items"][0]["position"]
    changed = client.get(f"/api/executions/{parent}/diff?from={first}&to={end}", headers=desk)
    [after] = [step["changed"]["children"]["after"] for step in changed.json()["steps"]]
    assert [each["process"] for each in after] == ["restricted"]
    for text in (events.text, changed.text, client.get(f"/api/executions/{parent}?as_of={end}", headers=desk).text):
        assert "greeting" not in text
    assert client.get(f"/api/executions/{child}", headers=desk).status_code == 404
    inside = key("viewer", name="inside", processes=["greeting"])
    [above] = client.get(f"/api/executions/{child}", headers=inside).json()["path"]
    assert (above["process"], above["step"]) == ("restricted", "")
    for path in ("", "/events", "/tree", f"?as_of={end}"):
        answer = client.get(f"/api/executions/{child}{path}", headers=inside)
        assert (answer.status_code, "the-call" in answer.text) == (200, False), answer.text
        assert "the-call" in client.get(f"/api/executions/{child}{path}", headers=root).text, path


ASKING = """
name: asking
steps:
  - {id: ask, type: human_approval, title: "May it?", approvers: [legal]}
  - {id: mine, type: human_approval, title: "Mine?", approvers: [bob]}
"""


def test_approvals_are_decided_by_who_the_principal_is(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    client.headers.update(root)
    installation.publish(client, ASKING)
    id = installation.begin(client, "asking")
    installation.project()
    for header in root:
        del client.headers[header]
    decide = f"/api/approvals/{id}:ask:1/approve"
    assert client.post(decide, json={}, headers=root).status_code == 403
    assert client.post(decide, json={}, headers=key("approver", name="bob")).status_code == 403
    lawyer = key("approver", name="eve", teams=["legal"])
    titles = [item["title"] for item in client.get("/api/approvals", headers=lawyer).json()["items"]]
    assert titles == ["May it?"]
    assert client.get(f"/api/approvals/{id}:mine:1", headers=lawyer).status_code == 404
    assert client.post(decide, json={}, headers=lawyer).status_code == 200
    assert client.get("/api/executions", headers=lawyer).status_code == 403
    granted = [event for event in installation.log.stream(id) if type(event).__name__ == "ApprovalGranted"]
    assert [event.actor for event in granted] == ["user:eve"]


def test_only_a_proxy_may_state_another_actor(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    client.headers.update(root)
    installation.publish(client, ASKING)
    id = installation.begin(client, "asking")
    for header in root:
        del client.headers[header]
    refused = client.post(
        f"/api/approvals/{id}:mine:1/approve", json={}, headers=key("approver", name="eve") | {"X-Actor": "bob"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    proxy = key("approver", "act_as", name="proxy", teams=["legal"])
    for step, stated in (("mine", {"X-Actor": "bob"}), ("ask", {"X-Actor": "sue", "X-Actor-Teams": "legal, admins"})):
        answer = client.post(f"/api/approvals/{id}:{step}:1/approve", json={}, headers=proxy | stated)
        assert answer.status_code == 200, answer.text


def test_schedules_of_other_processes_are_hidden(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    client.headers.update(root)
    for name in ("greeting", "claims-intake"):
        source = GREETING.replace("name: greeting", f"name: {name}")
        trigger = "triggers: [{type: schedule, id: tick, preset: daily, input: {name: Ann}}]\n"
        installation.publish(client, source.rstrip() + "\n" + trigger, writer={"script": "echo"})
    installation.project()
    for header in root:
        del client.headers[header]
    desk = key("operator", name="desk", processes=["claims-*"])
    hidden, shown = (str(schedule_id(process_id(name), "tick")) for name in ("greeting", "claims-intake"))
    for path in ("/api/schedules", "/api/schedules/week"):
        found = client.get(path, headers=desk).json()["items"]
        assert {item["process"] for item in found} == {"claims-intake"}, path
    assert client.get(f"/api/schedules/{shown}/occurrences", headers=desk).status_code == 200
    assert client.post(f"/api/schedules/{shown}/pause", json={"reason": "x"}, headers=desk).status_code == 200
    for path in ("", "/occurrences"):
        assert client.get(f"/api/schedules/{hidden}{path}", headers=desk).status_code == 404, path
    for act in ("pause", "resume", "run-now"):
        body = {"reason": "no"}
        assert client.post(f"/api/schedules/{hidden}/{act}", json=body, headers=desk).status_code == 404, act
