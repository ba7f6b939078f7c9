"""Approvals over HTTP: people are asked, one of them decides, and a worker goes on."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import Executions
from commands.plans import Plans
from store.log import Log

REVIEW = """
name: review
steps:
  - id: ask
    type: human_approval
    approvers: [ann, bob]
    title: May it?
    artifacts: [{n: 1}]
    deadline: 1h
    on_error: {goto_step: rework}
  - {id: send, agent: echo, message: "{{ steps.ask.output.comment }}", depends_on: ask}
  - {id: rework, agent: echo, message: "{{ steps.ask.error.code }}"}
outputs: {sent: "{{ steps.send.output || steps.rework.output }}"}
"""
HASTY = """
name: hasty
steps:
  - {id: ask, type: human_approval, deadline: 100ms, on_deadline: approve}
  - {id: send, agent: echo, message: "{{ steps.ask.output.decision }}", depends_on: ask}
outputs: {sent: "{{ steps.send.output }}"}
"""
STRICT = "name: strict\nsteps:\n  - {id: ask, type: human_approval, require_reason: true}\n"
ECHO = {"script": "echo"}


@pytest.fixture
def asking(client: TestClient, installation: Any) -> UUID:
    """An execution that waits for ann or bob."""
    installation.publish(client, REVIEW, echo=ECHO)
    id: UUID = installation.begin(client, "review")
    return id


def decide(client: TestClient, id: UUID, what: str, who: str = "ann", **body: Any) -> Any:
    return client.post(f"/api/approvals/{id}:ask:1/{what}", json=body, headers={"X-Actor": who})


def test_an_open_approval_is_found_by_those_who_may_decide(client: TestClient, installation: Any, asking: UUID) -> None:
    position = installation.project()
    (item,) = client.get("/api/approvals", params={"status": "open", "approver": "bob"}).json()["items"]
    assert item["approval_id"] == f"{asking}:ask:1"
    assert (
        item.items()
        >= {
            "execution_id": str(asking),
            "process": "review",
            "step": "ask",
            "title": "May it?",
            "description": "",
            "approvers": ["ann", "bob"],
            "artifacts": [{"n": 1}],
            "status": "open",
            "decided_by": None,
            "decided_at": None,
            "comment": None,
        }.items()
    )
    assert item["deadline"] > item["requested_at"]
    one = client.get(f"/api/approvals/{asking}:ask:1", params={"min_position": position}).json()
    assert one.items() >= item.items()
    for name, value in (("status", "granted"), ("approver", "eve"), ("process", "other")):
        assert client.get("/api/approvals", params={name: value}).json()["items"] == [], name
    for name, value in (("status", "granted,open"), ("approver", "eve,user:ann"), ("process", "review")):
        assert client.get("/api/approvals", params={name: value}).json()["items"] == [item], name
    assert item["decision"] is None
    assert client.get("/api/approvals", params={"status": "undecided"}).status_code == 400
    (timer,) = client.get("/api/timers").json()["items"]
    assert (timer["step"], timer["kind"]) == ("ask", "deadline")
    (step, *_) = client.get(f"/api/executions/{asking}").json()["steps"]
    assert (step["status"], step["due_at"]) == ("waiting", item["deadline"])


def test_a_worker_goes_on_once_it_is_approved(client: TestClient, installation: Any, asking: UUID, worker: Any) -> None:
    answer = decide(client, asking, "approve", comment="well done")
    assert (answer.status_code, answer.json()) == (
        200,
        {"approval_id": f"{asking}:ask:1", "execution_id": str(asking), "position": answer.json()["position"]},
    )
    installation.until(lambda: installation.executions.load(asking).status == "completed")
    assert installation.executions.load(asking).steps["send"].output == "well done"
    installation.project()
    one = client.get(f"/api/approvals/{asking}:ask:1").json()
    assert (one["status"], one["decided_by"], one["comment"]) == ("granted", "user:ann", "well done")
    assert one["decision"] == "approved"
    for word in ("approved", "granted"):
        (found,) = client.get("/api/approvals", params={"status": word}).json()["items"]
        assert found["approval_id"] == one["approval_id"], word
    assert installation.due_timers() == {}


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("reject", "refused", "approval_refused"), ("request-changes", "changes_requested", "changes_requested")],
)
def test_without_a_yes_it_goes_on_where_on_error_leads(
    client: TestClient, installation: Any, asking: UUID, worker: Any, what: str, status: str, code: str
) -> None:
    assert decide(client, asking, what, comment="no").status_code == 200
    installation.until(lambda: installation.executions.load(asking).status == "completed")
    installation.project()
    assert client.get(f"/api/executions/{asking}").json()["outputs"] == {"sent": code}
    assert client.get(f"/api/approvals/{asking}:ask:1").json()["status"] == status


def test_the_first_decision_counts(client: TestClient, installation: Any, asking: UUID) -> None:
    assert decide(client, asking, "approve").status_code == 200
    events = installation.events()
    again = decide(client, asking, "approve", comment="twice")
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    late = decide(client, asking, "reject", "bob")
    assert (late.status_code, late.json()["code"], late.json()["decided_by"]) == (409, "approval_decided", "user:ann")
    assert installation.events() == events


def test_a_decision_sent_twice_with_one_key_is_answered_the_same(client: TestClient, asking: UUID) -> None:
    headers = {"X-Actor": "ann", "Idempotency-Key": "once"}
    first, second = (client.post(f"/api/approvals/{asking}:ask:1/approve", headers=headers) for _ in range(2))
    assert (first.status_code, second.json()) == (200, first.json())


def test_of_two_who_decide_at_once_one_wins(client: TestClient, installation: Any, asking: UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [("approve", "ann"), ("reject", "bob")] * 4
        answers = list(pool.map(lambda each: decide(client, asking, *each), asked))
    codes = {(what, answer.status_code) for (what, _), answer in zip(asked, answers, strict=True)}
    assert codes in ({("approve", 200), ("reject", 409)}, {("approve", 409), ("reject", 200)})
    decided = [type for type in installation.types(asking) if type in ("ApprovalGranted", "ApprovalRefused")]
    assert len(decided) == 1


def test_what_cannot_be_decided_is_said(
    client: TestClient, installation: Any, asking: UUID, problem_codes: Any
) -> None:
    installation.publish(client, STRICT)
    strict = installation.begin(client, "strict")
    events = installation.events()
    for path, who, body, status, codes in (
        (f"{asking}:ask:1", "eve", {}, 403, ["approver_not_named"]),
        (f"{asking}:ask:2", "ann", {}, 404, ["no_such_approval"]),
        (f"{asking}:send:1", "ann", {}, 404, ["no_such_approval"]),
        (f"{UUID(int=1)}:ask:1", "ann", {}, 404, ["no_such_approval"]),
        ("this", "ann", {}, 404, ["no_such_approval"]),
        (f"{asking}:ask:1", "ann", {"comment": 1}, 422, ["malformed", "wrong_type"]),
        (f"{asking}:ask:1", "ann", {"reason": "x"}, 422, ["malformed", "unknown_key"]),
        (f"{strict}:ask:1", "ann", {}, 422, ["reason_required", "reason_required"]),
    ):
        answer = client.post(f"/api/approvals/{path}/approve", json=body, headers={"X-Actor": who})
        assert (answer.status_code, problem_codes(answer)) == (status, codes), path
    assert installation.events() == events
    for path in ("this", f"{asking}:ask:2"):
        assert client.get(f"/api/approvals/{path}").status_code == 404


def test_an_approval_is_the_same_after_a_restart(client: TestClient, installation: Any, asking: UUID) -> None:
    before = installation.executions.load(asking)
    log = Log(installation.datastore)
    assert Executions(log, Plans(log)).load(asking) == before
    log.close()
    with TestClient(installation.app) as other:
        assert decide(other, asking, "approve").status_code == 200


def test_a_worker_notices_that_the_deadline_has_passed(client: TestClient, installation: Any, worker: Any) -> None:
    installation.publish(client, HASTY, echo=ECHO)
    id = installation.begin(client, "hasty")
    installation.until(lambda: installation.executions.load(id).status == "completed")
    installation.project()
    assert client.get(f"/api/executions/{id}").json()["outputs"] == {"sent": "approved"}
    one = client.get(f"/api/approvals/{id}:ask:1").json()
    assert (one["status"], one["decided_by"]) == ("expired", None)
    assert decide(client, id, "approve").json()["code"] == "approval_decided"


def test_pages_of_approvals_neither_skip_nor_repeat(client: TestClient, installation: Any, asking: UUID) -> None:
    ids = [asking, *(installation.begin(client, "review") for _ in range(3))]
    assert client.post(f"/api/executions/{ids[1]}/cancel", json={}).status_code == 200
    installation.project()
    seen, cursor = [], None
    while True:
        page = client.get("/api/approvals", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [(item["execution_id"], item["status"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [(str(id), "cancelled" if id == ids[1] else "open") for id in reversed(ids)]
    assert client.get("/api/approvals", params={"cursor": "x"}).status_code == 400
