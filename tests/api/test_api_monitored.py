"""What teams monitor over HTTP: failed steps, overdue approvals, and cost alerts of their processes."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from domain.alerts.events import AlertCrossing, CostAlertRaised
from domain.event import record
from domain.identity import process_id
from store.unit import Unit
from tests.api.conftest import Installation, Making, Shown, cause

CLAIM = """
name: claim
defaults: {roles: {monitors: ["team:claims"]}}
steps:
  - {id: read, agent: clerk, message: Read}
  - {id: check, agent: clerk, message: Check, depends_on: read, roles: {monitors: ["team:fraud", owner]}}
  - {id: sign, type: human_approval, title: Sign?, deadline: 1ms, approvers: [ann], roles: {monitors: ["team:desk"]}}
"""
BARE = "name: bare\nsteps:\n  - {id: go, agent: clerk, message: Go, roles: {monitors: ['team:fraud']}}\n"
ALERT = UUID(int=77)


def listed(client: TestClient, headers: Shown, **parameters: Any) -> list[tuple[Any, ...]]:
    answer = client.get("/api/monitored", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return [(each["kind"], each["process"], each["step"], each["teams"]) for each in answer.json()["items"]]


def raise_alert(installation: Installation, stream: UUID, process: str, execution: UUID) -> None:
    facts = {"process_id": process_id(process), "process": process, "kind": "daily", "rule": 1, "level": "alert"}
    amounts = {"amount": Decimal(5), "limit": Decimal(5), "before": Decimal(4), "after": Decimal(6)}
    crossing = AlertCrossing(installation.log.last_position(), execution, "read")
    more = {"currency": "USD", "source": "command", "crossing": crossing, "contributors": []}
    event = record(CostAlertRaised, cause(), **facts, **amounts, **more)
    installation.log.append(Unit(stream, 0, [event]))


def test_what_is_open_reaches_the_teams_that_monitor_it(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    client.headers.update(root)
    installation.publish(client, CLAIM, clerk={"script": "echo"})
    installation.publish(client, BARE, clerk={"script": "echo"})
    first, second, _ = (installation.begin(client, "claim") for _ in range(3))
    del client.headers["Authorization"]
    installation.answer(first, "read", Failed(StepError("lost", "It is lost")))
    installation.answer(second, "read")
    installation.answer(second, "check", Failed(StepError("heartbeat_missed", "no sign")))
    raise_alert(installation, ALERT, "claim", first)
    raise_alert(installation, UUID(int=78), "bare", first)
    installation.project()

    overdue = ("approval", "claim", "sign", ["desk"])
    lost = ("failure", "claim", "read", ["claims"])
    missed = ("heartbeat", "claim", "check", ["fraud"])
    of_claim, of_bare = ("cost_alert", "claim", None, ["claims"]), ("cost_alert", "bare", None, ["fraud"])
    assert set(map(str, listed(client, root))) == set(map(str, (overdue, lost, missed, of_claim, of_bare)))

    claims = key("viewer", name="claims-desk", teams=["claims"])
    assert listed(client, claims) == [of_claim, lost]
    assert listed(client, claims, team="fraud,desk") == [of_bare, overdue, missed]
    assert listed(client, key("viewer", name="limited", processes=["claim"])) == [of_claim, overdue, missed, lost]
    assert listed(client, key("viewer", name="nobody", teams=["others"])) == []

    page = client.get("/api/monitored", params={"limit": 1}, headers=claims).json()
    following = client.get("/api/monitored", params={"cursor": page["next_cursor"]}, headers=claims).json()
    assert [each["kind"] for each in (*page["items"], *following["items"])] == ["cost_alert", "failure"]

    moved = {"assign": [{"step": "read", "agent": "team:desk", "role": "monitor"}]}
    moved["revoke"] = [{"step": "read", "agent": "team:claims"}]
    assert client.put("/api/processes/claim/roles?of=published", json=moved, headers=root).status_code == 200
    assert client.post(f"/api/executions/{second}/retry", json={}, headers=root).status_code == 202
    installation.project()
    assert listed(client, claims) == [of_claim]
    assert listed(client, root, team="desk") == [overdue, overdue, ("failure", "claim", "read", ["desk"])]
    assert listed(client, root, team="fraud") == [of_bare]
