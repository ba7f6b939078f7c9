"""Steps inside a step over HTTP: what teams monitor of them, and what nobody but an admin reads of them."""

from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from tests.api.conftest import Installation, Making, Shown
from tests.api.test_api_monitored import listed
from tests.api.test_api_sensitive import paths_of, read
from tests.web.test_every_reader import pages_of

CLAIMS = """
name: claims
defaults: {roles: {executor: clerk}}
steps:
  - id: each
    type: sub_process
    for_each: {items: [1], as: claim, on_error: skip}
    steps:
      - {id: read, message: Read, roles: {monitors: ["team:desk"]}}
      - {id: sign, type: human_approval, title: Sign?, deadline: 1ms, on_deadline: approve, approvers: [ann]}
  - {id: read, message: "Read {{ steps.each.output | length }}", depends_on: each, roles: {monitors: ["team:claims"]}}
"""
PATIENTS = """
name: patients
input: {patients: {type: array, required: true, sensitive: true}}
steps:
  - id: each
    type: sub_process
    for_each: {items: "{{ input.patients }}", as: patient}
    steps: [{id: say, agent: clerk, message: "Of {{ input.patient.name }}"}]
    outputs: {name: "{{ steps.say.output }}"}
outputs: {names: "{{ steps.each.output }}"}
"""
NAME = "Wolverine"
HIDDEN = "{name: hidden, steps: [{id: say, agent: clerk, message: a, retry: {max_attempts: 1}}]}"
DESK = """
name: desk
steps:
  - {id: each, type: sub_process, process: hidden, for_each: {items: [1], as: n, on_error: skip}}
"""


def test_a_failure_inside_a_body_reaches_the_team_of_that_step(
    client: TestClient, installation: Installation, root: Shown, worker: Any
) -> None:
    client.headers.update(root)
    installation.publish(client, CLAIMS, clerk={"script": "answers", "answers": {"other": 1}})
    installation.project()
    matrix = client.get("/api/processes/claims/roles").json()
    assert [row["step"] for row in matrix["steps"]] == ["each", "each/read", "each/sign", "read"]
    moved = {"assign": [{"step": "each/read", "agent": "team:night", "role": "monitor"}]}
    assert client.put("/api/processes/claims/roles?of=published", json=moved).status_code == 200
    id = installation.begin(client, "claims")
    installation.until(lambda: "ExecutionFailed" in installation.types(id))
    installation.project()
    found = [(kind, step, teams) for kind, _, step, teams in listed(client, root)]
    assert ("failure", "read", ["desk", "night"]) in found
    assert ("failure", "read", ["claims"]) in found


def test_a_sensitive_item_is_masked_in_its_child(
    client: TestClient, installation: Installation, root: Shown, key: Making, worker: Any
) -> None:
    client.headers.update(root)
    installation.publish(client, PATIENTS, clerk={"script": "echo"})
    started = client.post("/api/processes/patients/executions", json={"input": {"patients": [{"name": NAME}]}})
    assert started.status_code == 202, started.text
    id = UUID(started.json()["execution_id"])
    installation.until(lambda: "ExecutionCompleted" in installation.types(id))
    installation.project()
    (child,) = client.get(f"/api/executions?parent={id}").json()["items"]
    paths = [
        *paths_of(installation, client, id, root),
        *paths_of(installation, client, UUID(child["execution_id"]), root),
    ]
    del client.headers["Authorization"]
    viewer = key("viewer", name="see")
    for path, text in read(client, paths, viewer).items():
        assert NAME not in text, path
    assert NAME in client.get(f"/api/executions/{id}", headers=root).text


def test_a_limited_key_reads_nothing_of_items_outside_its_processes(
    client: TestClient, installation: Installation, root: Shown, key: Making, worker: Any
) -> None:
    client.headers.update(root)
    fails = {"script": "fail", "error": {"code": "ill", "message": NAME, "permanent": True}}
    installation.publish(client, HIDDEN, clerk=fails)
    installation.publish(client, DESK)
    id = installation.begin(client, "desk")
    installation.until(lambda: "ExecutionCompleted" in installation.types(id))
    installation.project()
    del client.headers["Authorization"]
    limited = key("viewer", name="limited", processes=["desk"])
    (child,) = client.get(f"/api/executions?parent={id}", headers=root).json()["items"]
    link = f"/executions/{child['execution_id']}"
    with TestClient(pages_of(installation), follow_redirects=False) as pages:
        seen = [pages.get(f"/executions/{id}?step=each", headers=headers) for headers in (root, limited)]
    assert [(answer.status_code, link in answer.text) for answer in seen] == [(200, True), (200, False)]
