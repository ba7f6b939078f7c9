"""The overview with what teams monitor, and the editor with the roles that were changed on a published version."""

from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from tests.api.conftest import Installation

WATCHED = """
name: watched
steps:
  - {id: read, agent: clerk, message: Read, roles: {monitors: ["team:claims"]}} # the first
"""


def test_the_overview_shows_a_team_what_it_monitors(client: TestClient, installation: Installation) -> None:
    installation.publish(client, WATCHED, clerk={"script": "echo"})
    id = installation.begin(client, "watched")
    installation.answer(id, "read", Failed(StepError("lost", "<b>It is lost</b>")))
    installation.project()
    assert "What you monitor" not in client.get("/").text
    of_team = client.get("/?team=claims").text
    assert f'href="/executions/{id}?step=read">watched, read failed</a>' in of_team
    assert "Nothing is open" in client.get("/?team=others").text
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    member = {"name": "ilse", "scopes": ["viewer"], "teams": ["claims", "desk"]}
    made = client.post("/api/keys", json=member, headers={"Authorization": f"Bearer {root}"}).json()["key"]
    of_member = {"Authorization": f"Bearer {made}"}
    installation.until(lambda: client.get("/", headers=of_member).status_code == 200)
    page = client.get("/", headers=of_member).text
    assert "What you monitor <small>1</small>" in page
    assert 'href="/?team=desk">desk</a>' in page


def test_a_draft_begins_with_the_roles_in_effect(client: TestClient, installation: Installation) -> None:
    installation.publish(client, WATCHED, clerk={"script": "echo"})
    changes = {"assign": [{"step": "read", "agent": "owner", "role": "monitor"}]}
    assert client.put("/api/processes/watched/roles?of=published", json=changes).status_code == 200
    installation.project()
    page = client.get("/processes/watched/edit").text
    assert "[&#34;team:claims&#34;, owner]}} # the first" in page
    assert "Roles that were changed on the published version are written into the text." in page
