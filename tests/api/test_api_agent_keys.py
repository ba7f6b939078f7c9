"""Keys with the scope agent:NAME: the agent answers its own attempts, and does nothing else."""

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Installation, Making, Shown

PAIR = """
name: pair
steps:
  - {id: first, agent: writer, message: x, heartbeat: 5m}
  - {id: second, agent: other, message: y}
"""


@pytest.fixture
def called(client: TestClient, installation: Installation, root: Shown) -> UUID:
    """An execution of which two agents have an attempt each."""
    client.headers.update(root)
    installation.publish(client, PAIR, writer={"script": "echo"}, other={"script": "echo"})
    id = installation.begin(client, "pair")
    for header in root:
        del client.headers[header]
    for step in ("first", "second"):
        installation.take(id, step)
    return id


def answered(client: TestClient, id: UUID, shown: Shown, step: str = "first", what: str = "complete") -> Any:
    given: dict[str, Any] = {"complete": {"output": "done"}, "fail": {"error": {"code": "bad", "message": "no"}}}
    body = {"attempt": 1, **given.get(what, {})}
    return client.post(f"/api/executions/{id}/steps/{step}/{what}", json=body, headers=shown)


def test_an_agent_answers_its_attempt_with_its_key(
    client: TestClient, installation: Installation, called: UUID, key: Making
) -> None:
    writer = key("agent:writer", name="writer-key")
    assert answered(client, called, writer, what="heartbeat").status_code == 200
    answer = answered(client, called, writer)
    assert (answer.status_code, answer.json()["duplicate"]) == (200, False)
    assert answered(client, called, writer).json()["duplicate"]
    [completed] = [each for each in installation.log.stream(called) if type(each).__name__ == "StepCompleted"]
    assert completed.actor == "agent:writer"
    failed = answered(client, called, key("agent:other", name="other-key"), "second", "fail")
    assert failed.status_code == 200
    assert "StepFailed" in installation.types(called)


@pytest.mark.parametrize("what", ["complete", "fail", "heartbeat"])
def test_no_other_key_answers_for_an_agent(
    client: TestClient, installation: Installation, called: UUID, key: Making, what: str
) -> None:
    events = installation.events()
    other = key("agent:other", name="other-key")
    for shown in (other, key("operator", "designer", "viewer", "approver", name="all-but-admin")):
        refused = answered(client, called, shown, what=what)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    refused = answered(client, called, {"Authorization": f"Bearer pp_{'x' * 43}"}, what=what)
    assert (refused.status_code, refused.json()["code"]) == (403, "token_invalid")
    limited = key("agent:writer", name="limited", processes=["elsewhere"])
    assert answered(client, called, limited, what=what).status_code == 404
    assert answered(client, UUID(int=7), other, what=what).status_code == 404
    for attempt in (0, 2):
        body = {"attempt": attempt, "output": "x"}
        path = f"/api/executions/{called}/steps/first/complete"
        assert client.post(path, json=body, headers=other).status_code == 403
    assert installation.types(called).count("StepCompleted") == 0
    assert installation.events() == events + 3  # the keys


def test_an_admin_answers_any_attempt(client: TestClient, called: UUID, root: Shown) -> None:
    assert answered(client, called, root).status_code == 200
    assert answered(client, called, root, "second").status_code == 200


def test_the_attempt_is_the_one_that_the_key_was_checked_for(
    client: TestClient, installation: Installation, called: UUID, key: Making
) -> None:
    writer = key("agent:writer", name="writer-key")
    path = f"/api/executions/{called}/steps/first/complete"
    twice = b'{"attempt":1,"output":"x","attempt":2}'
    answer = client.post(path, content=twice, headers=writer | {"Content-Type": "application/json"})
    assert answer.status_code in (403, 422)
    assert installation.types(called).count("StepCompleted") == 0


def test_the_key_of_an_agent_reads_nothing_but_the_description(client: TestClient, key: Making) -> None:
    writer = key("agent:writer", name="writer-key")
    for path in ("/api/executions", "/api/events", "/api/agents", "/api/keys", "/api/approvals", "/api/stream"):
        assert client.get(path, headers=writer).status_code == 403, path
    assert client.get("/openapi.json", headers=writer).status_code == 200


WATCHED = """
name: watched
steps:
  - {id: first, agent: writer, message: x, roles: {monitors: [owner]}}
  - {id: second, agent: other, message: y}
"""


def test_a_monitor_repairs_its_steps_and_no_others(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    client.headers.update(root)
    agents = {name: {"script": "echo"} for name in ("writer", "other", "owner")}
    installation.publish(client, WATCHED, **agents)
    id = installation.begin(client, "watched")
    of_roles = "/api/processes/watched/roles?of=published"
    del client.headers["Authorization"]
    owner, writer = key("agent:owner", name="owner-key"), key("agent:writer", name="writer-key")

    def repair(step: str, act: str, shown: Shown, status: int, **body: str) -> None:
        path = f"/api/executions/{id}/steps/{step}/{act}"
        answer = client.post(path, json={"reason": "mine", **body}, headers=shown)
        assert answer.status_code == status, answer.text

    repair("first", "reassign", owner, 202, agent="other")
    repair("second", "skip", owner, 403)
    repair("first", "skip", writer, 403)
    assert client.post(f"/api/executions/{id}/cancel", json={"reason": "x"}, headers=owner).status_code == 403
    assert client.post(f"/api/executions/{id}/retry", json={}, headers=owner).status_code == 403

    moved = {"revoke": [{"step": "first", "agent": "owner"}]}
    moved["assign"] = [{"step": "second", "agent": "owner", "role": "monitor"}]
    assert client.put(of_roles, json=moved, headers=root).status_code == 200
    repair("first", "retry", owner, 403)
    repair("second", "skip", owner, 202)
    [skipped] = [each for each in installation.log.stream(id) if type(each).__name__ == "StepSkipped"]
    assert skipped.actor == "agent:owner"
