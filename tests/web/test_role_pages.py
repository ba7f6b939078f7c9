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
