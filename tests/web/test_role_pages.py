"""The page of roles: the effective roles of each step, told apart by their source, and what is missing."""

import re

from starlette.testclient import TestClient

from tests.api.conftest import Installation

YAML = {"Content-Type": "application/yaml"}
CLAIM = """
name: claim
defaults: {roles: {monitors: [supervisor]}}
steps:
  - {id: read, name: "<script>alert(1)</script>", agent: clerk, message: Read, roles: {informed: ["<i>x</i>"]}}
  - {id: decide, type: agent_task, message: Decide, depends_on: read}
  - {id: route, type: gateway, depends_on: read, routes: [{default: true, target: decide}]}
"""


def test_a_draft_shows_its_roles_and_the_step_without_an_executor(
    client: TestClient, installation: Installation
) -> None:
    client.put("/api/agents/clerk", json={"kind": "scripted", "script": "echo"})
    assert client.post("/api/processes", content=CLAIM, headers=YAML).status_code == 201
    installation.project()
    page = client.get("/processes/claim/roles").text
    assert "Of the draft." in page
    assert re.findall(r"<span class=\"worse\"( hidden)?> needs an executor", page) == [" hidden", ""]
    assert "gateway: decided by its conditions" in page
    rows = dict(re.findall(r'<tr id="step-([^"]+)"[^>]*>(.*?)</tr>', page, re.DOTALL))
    letters = {step: re.findall(r"<abbr [^>]*>([^<]+)</abbr>", row) for step, row in rows.items()}
    assert letters == {"read": ["E", "M", "I"], "decide": ["M"], "route": []}
    assert 'title="Monitor, from the defaults"' in page
    for text in ("<script>alert", "<i>x"):
        assert text not in page
    assert '<a class="s" href="/processes/claim/roles">Roles</a>' in client.get("/processes/claim").text
    assert client.get("/processes/claim/roles?of=published").status_code == 404
    assert client.get("/processes/nobody/roles").status_code == 404


def test_the_page_of_a_process_shows_the_roles_of_now_beside_those_of_its_text(
    client: TestClient, installation: Installation
) -> None:
    source = "name: claim\ndefaults: {roles: {monitors: supervisor}}\nsteps: [{id: read, agent: clerk, message: R}]\n"
    agents: dict[str, dict[str, str]] = {name: {"script": "echo"} for name in ("clerk", "supervisor", "reviewer")}
    installation.publish(client, source, **agents)
    installation.project()
    assert re.search(r"supervisor</a></p><p[^>]*>watches read</p>", _who(client))
    id = client.post("/api/processes/claim/executions", json={}).json()["execution_id"]
    before = installation.log.last_position()
    changes = {"assign": [{"step": "read", "agent": "reviewer", "role": "informed"}]}
    changes["revoke"] = [{"step": "read", "agent": "supervisor"}]
    changed = client.put("/api/processes/claim/roles?of=published", json=changes)
    assert changed.status_code == 200, changed.text
    installation.project()
    who = _who(client)
    assert re.search(r"<ins>informed of read</ins> .*given", who)
    assert re.search(r"<del>watches read</del> .*taken", who)
    now = client.get(f"/executions/{id}?step=read").text
    assert "<dt>Is informed</dt><dd>reviewer</dd>" in now
    assert "Watches over it" not in now
    then = client.get(f"/executions/{id}?step=read&as_of={before}").text
    assert "<dt>Watches over it</dt><dd>supervisor</dd>" in then
    assert "Is informed" not in then


def _who(client: TestClient) -> str:
    return client.get("/processes/claim").text.partition('id="h-now"')[2].partition("</section>")[0]
