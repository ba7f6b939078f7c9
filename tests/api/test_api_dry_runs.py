"""A dry run over HTTP changes nothing, on whatever route: it is answered with what would happen, or refused."""

import string
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation

UNSAFE = ("post", "put", "delete", "patch")
WAITING = """
name: waiting
steps:
  - {id: ask, type: human_approval, title: Out?}
  - {id: rest, type: timer, duration: 1d, depends_on: ask}
  - {id: work, agent: writer, message: go}
"""
BODIES: dict[str, Any] = {
    "/api/processes": {"definition": GREETING.replace("name: greeting", "name: another")},
    "/api/processes/{process}": {"definition": GREETING.replace("greets", "salutes")},
    "/api/processes/validate": {"definition": GREETING},
    "/api/agents/{name}": {"kind": "scripted", "script": "fail"},
    "/api/agents/{name}/try": {"message": "hello"},
    "/api/agents/{name}/webhooks": {"url": "https://hooks.example.com/x", "secret": "${ORDERS_SECRET}"},
    "/api/keys": {"name": "new", "scopes": ["admin"]},
    "/api/executions/{execution_id}/steps/{step}/reassign": {"agent": "other", "reason": "why"},
    "/api/timers/{execution_id}/{step}/{kind}/move": {"due_at": "2090-01-01T00:00:00Z", "reason": "why"},
    "/api/processes/{process}/template": {"name": "Saved"},
    "/api/processes/{process}/template-update": {"version": 2},
    "/api/templates/{template_id}/use": {"name": "made"},
    "/api/templates/{template_id}/preview": {},
    "/api/templates/{template_id}/share": {"with": "organisation"},
    "/api/processes/{process}/executions": {"input": {"name": "Ann"}},
    "/api/processes/{process}/execute": {"input": {"name": "Ann"}},
}
# Each states that it decides, and what it decides; the others refuse the parameter.
REHEARSED = {
    "/api/executions/{execution_id}/cancel",
    "/api/executions/{execution_id}/steps/{step}/reassign",
    "/api/processes/{process}/archive",
    "/api/processes/{process}/pause",
    "/api/processes/{process}/resume",
    "/api/processes/{process}/template",
    "/api/templates/{template_id}/use",
    "/api/templates/{template_id}/share",
    "/api/templates/{template_id}/withdraw",
    "/api/projections/{name}/{act}",
    "/api/dead-letters/{projection}/{position}/retry",
    "/api/dead-letters/{projection}/{position}/skip",
}
KEPT = (
    "inbox_webhooks",
    "inbox_dead_deliveries",
    "inbox_deliveries",
    "read_model_requests",
    "skipped_letters",
    "set_aside",
    "due_steps",
    "due_timers",
    "outbox",
    "api_key_uses",
)


def unsafe(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
        if method in UNSAFE
    ]


def rows(installation: Installation) -> dict[str, Any]:
    """The rows of every table that a command may change, beside the end of the log."""
    with installation.datastore.reading() as connection:
        there = "select table_name from information_schema.tables where table_schema = 'public'"
        known = {row["table_name"] for row in connection.execute(there).fetchall()}
        kept = {
            name: connection.execute(f"select to_jsonb(t) as row from {name} t order by 1").fetchall()
            for name in KEPT
            if name in known
        }
    return kept | {"log": installation.log.last_position()}


def test_a_dry_run_of_any_command_changes_nothing(client: TestClient, installation: Installation) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"}, other={"script": "echo"})
    installation.publish(client, WAITING)
    id = installation.begin(client, "waiting")
    with installation.datastore.reading() as connection:
        connection.execute(
            "insert into dead_letters (projection, position, error) values ('approvals', 1, 'it is broken')"
        )
    installation.project()
    values = {
        "process": "greeting",
        "version": "1",
        "execution_id": id,
        "approval_id": f"{id}:ask:1",
        "step": "work",
        "kind": "timer",
        "name": "writer",
        "key_id": str(UUID(int=1)),
        "schedule_id": str(UUID(int=1)),
        "alert_id": str(UUID(int=1)),
        "webhook_id": str(UUID(int=1)),
        "batch_id": str(UUID(int=1)),
        "trigger_id": "hook",
        "projection": "approvals",
        "position": "1",
        "template_id": "org:kept",
    }
    assert client.post("/api/processes/greeting/template", json={"name": "kept"}).status_code == 201
    answered: dict[str, int] = {}
    for method, path, operation in unsafe(installation.app):
        named = values | ({"name": "approvals", "act": "rebuild"} if path.startswith("/api/projections") else {})
        names = [name for _, name, _, _ in string.Formatter().parse(path) if name]
        assert set(names) <= named.keys(), f"{path}: say in this test what {names} are"
        before = rows(installation)
        body = BODIES.get(path, {"reason": "why"})
        answer = client.request(method, path.format(**named), params={"dry_run": "true"}, json=body)
        assert rows(installation) == before, (method, path, answer.text)
        assert answer.status_code == 200 or answer.json()["code"], (method, path, answer.text)
        takes = any(each["name"] == "dry_run" for each in operation.get("parameters", ()))
        answered[path] = answer.status_code
        if path == "/api/projections/{name}/withdraw":
            assert answer.json()["code"] == "no_request_open"
        elif not takes:
            assert 400 <= answer.status_code < 500, (method, path, answer.text)
        elif answer.status_code == 200:
            assert {"would", "effects"} & answer.json().keys(), (method, path, answer.text)
    assert {path for path, status in answered.items() if status == 200} >= REHEARSED


def test_a_withdrawal_is_planned_while_an_act_is_requested(client: TestClient, installation: Installation) -> None:
    installation.project()
    requested = client.post("/api/projections/approvals/rebuild", json={"reason": "why"}).json()
    for _ in range(2):
        planned = client.post(
            "/api/projections/approvals/withdraw", params={"dry_run": "true"}, json={"reason": "why"}
        ).json()
        assert (planned["act"], planned["request_id"]) == ("rebuild", requested["request_id"])
        assert planned["would"]["effects"]
    done = client.post("/api/projections/approvals/withdraw", json={"reason": "why"})
    assert (done.status_code, done.json().get("would")) == (200, None)
