"""Keys over HTTP: made, shown once, limited by scopes, revoked."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge.scopes import AGENT_GRANTS, EVERYTHING, GRANTS, STATED
from tests.api.conftest import Installation, Making, Shown, bearer

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
PUBLIC = re.compile(r"/health/|/api/triggers/webhook|/complete$|/fail$|/heartbeat$")


def closed(client: TestClient, installation: Installation, headers: Shown) -> None:
    """Wait until this process has noticed what changed."""
    installation.until(lambda: client.get("/api/processes", headers=headers).status_code == 401)


def test_until_the_first_key_local_callers_are_admins(client: TestClient, installation: Installation) -> None:
    assert client.get("/api/keys").json()["items"] == []
    refused = client.post("/api/keys", json={"name": "ann", "scopes": ["viewer"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "first_key_not_admin")
    assert client.post("/api/keys", json={"name": "ann", "scopes": ["admin"]}).status_code == 201
    closed(client, installation, {})
    assert client.get("/health/live").status_code == 200


def test_a_key_is_shown_once_and_stored_nowhere(client: TestClient, installation: Installation) -> None:
    body = {"name": "ann", "scopes": ["admin"]}
    made = client.post("/api/keys", json=body, headers={"Idempotency-Key": "once"}).json()
    again = client.post("/api/keys", json=body, headers={"Idempotency-Key": "once"} | bearer(made["key"]))
    # The first request was anonymous, the second is ann's: another key under the same name.
    assert again.status_code == 201
    assert again.json()["key_id"] != made["key_id"]
    third = client.post("/api/keys", json=body, headers={"Idempotency-Key": "once"} | bearer(made["key"])).json()
    assert (third["key_id"], third["key"]) == (again.json()["key_id"], None)
    with installation.datastore.reading() as connection:
        for table in ("stored_events", "idempotency_keys"):
            rows = connection.execute(f"select t::text as row from {table} t").fetchall()  # type: ignore[arg-type]
            everything = "".join(row["row"] for row in rows)
            assert made["key"] not in everything
            assert made["key"].encode().hex() not in everything


def test_keys_are_listed_without_their_secrets(client: TestClient, installation: Installation, key: Making) -> None:
    made = key("operator", name="desk", teams=["legal"], processes=["claims-*"], expires_at="2099-01-01T00:00:00Z")
    installation.project()
    admin = key("admin", name="other")
    items = client.get("/api/keys", headers=admin).json()["items"]
    desk = next(item for item in items if item["name"] == "desk")
    assert (desk["scopes"], desk["teams"], desk["processes"]) == (["operator"], ["legal"], ["claims-*"])
    assert (desk["expires_at"], desk["revoked_at"]) == ("2099-01-01T00:00:00Z", None)
    assert made["Authorization"].removeprefix("Bearer ").startswith(desk["prefix"])
    assert "digest" not in desk


def test_a_revoked_key_admits_nobody(client: TestClient, installation: Installation, root: Shown, key: Making) -> None:
    viewer = key("viewer")
    installation.project()
    id = next(i["key_id"] for i in client.get("/api/keys", headers=root).json()["items"] if i["name"] == "ann")
    answer = client.request("DELETE", f"/api/keys/{id}", json={"reason": "lost"}, headers=root)
    assert answer.status_code == 200, answer.text
    closed(client, installation, viewer)
    again = client.request("DELETE", f"/api/keys/{id}", json={"reason": "lost"}, headers=root)
    assert again.json()["duplicate"]


def test_the_last_admin_key_is_kept_unless_forced(client: TestClient, installation: Installation, root: Shown) -> None:
    installation.project()
    id = client.get("/api/keys", headers=root).json()["items"][0]["key_id"]
    refused = client.request("DELETE", f"/api/keys/{id}", json={"reason": "lost"}, headers=root)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key")
    forced = client.request("DELETE", f"/api/keys/{id}", json={"reason": "lost", "force": True}, headers=root)
    assert forced.status_code == 200
    closed(client, installation, root)
    assert client.get("/api/processes").status_code == 401


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({}, {"missing"}),
        ({"name": "ann", "scopes": []}, {"scopes_missing"}),
        (
            {"name": "a b", "scopes": ["viewr"], "processes": ["*"]},
            {"invalid_name", "unknown_scope", "invalid_process"},
        ),
        ({"name": "ann", "scopes": ["admin"], "processes": ["a"]}, {"processes_with_admin"}),
        ({"name": "ann", "scopes": "viewer"}, {"wrong_type"}),
        ({"name": "ann", "scopes": ["viewer"], "expires_at": "2020-01-01T00:00:00Z"}, {"already_expired"}),
    ],
)
def test_every_problem_of_a_new_key_is_named(client: TestClient, root: Shown, body: Any, codes: set[str]) -> None:
    answer = client.post("/api/keys", json=body, headers=root)
    assert answer.status_code == 422
    assert {problem["code"] for problem in answer.json()["problems"]} == codes


def operations(installation: Installation) -> list[tuple[str, str, str]]:
    """Every guarded operation: method, path, and the permission that its route states."""
    there = {"process": "greeting", "name": "writer", "step": "greet", "kind": "timeout", "version": "1"}
    there |= dict.fromkeys(
        ("execution_id", "key_id", "schedule_id", "alert_id", "webhook_id", "batch_id"),
        "0192f0c1-0000-7000-8000-000000000000",
    )
    there |= {"act": "build", "projection": "approvals", "position": "1", "digest": "0" * 64}
    there |= {"event_id": f"{there['execution_id']}:1", "template_id": "bundled:content-review"}
    there["approval_id"] = f"{there['execution_id']}:ask:1"
    found = []
    for path, methods in installation.app.openapi()["paths"].items():
        for method, operation in methods.items():
            if PUBLIC.search(path):
                continue
            assert STATED in operation, f"{method} {path} states no permission"
            found.append((method.upper(), path.format(**there), operation[STATED]))
    return found


def test_every_route_has_a_permission_and_the_scopes_are_those_of_the_table(
    client: TestClient, installation: Installation, key: Making
) -> None:
    table = written()
    assert {permission for _, _, permission in operations(installation)} <= table.keys()
    assert table.keys() == EVERYTHING
    for scope, granted in GRANTS.items():
        assert {permission for permission, scopes in table.items() if scope.value in scopes} == granted
    assert {permission for permission, scopes in table.items() if "agent:NAME" in scopes} == AGENT_GRANTS
    guarded = [each for each in operations(installation) if each[1] != "/api/stream"]
    assert len(guarded) > 30
    for scope, granted in {**GRANTS, "agent:writer": AGENT_GRANTS}.items():
        headers = key(scope, name=scope.replace(":", "-"))
        for method, path, permission in guarded:
            if method in ("PUT", "DELETE", "POST") and permission in granted:
                continue  # what is permitted is carried out by the tests of its noun
            status = client.request(method, path, headers=headers).status_code
            assert (status == 403) == (permission not in granted), (scope, method, path, status)
    for method, path, _ in guarded:
        assert client.request(method, path).status_code == 401, path


def written() -> dict[str, set[str]]:
    """The table of the document: the scopes that give each permission."""
    lines = [line.split("|")[1:-1] for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("`") for cell in line] for line in lines]
    start = next(n for n, row in enumerate(rows) if row[0] == "Permission")
    scopes = rows[start][1:]
    found = {}
    for row in rows[start + 2 :]:
        if len(row) != len(scopes) + 1:
            break
        found[row[0]] = {scope for scope, cell in zip(scopes, row[1:], strict=True) if cell == "yes"}
    return found


def test_the_key_of_the_environment_is_an_admin_key(keyed: Any) -> None:
    installation = keyed("k" * 32)
    with TestClient(installation.app, headers=bearer("k" * 32)) as client:
        made = client.post("/api/keys", json={"name": "ann", "scopes": ["viewer"]})
        assert made.status_code == 201
        shown = bearer(made.json()["key"])
        installation.until(lambda: client.get("/api/processes", headers=shown).status_code == 200)
        assert client.get("/api/keys", headers=shown).status_code == 403
        assert client.get("/api/processes", headers=bearer("x" * 46)).status_code == 401
