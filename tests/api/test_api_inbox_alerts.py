"""Cost alerts in inboxes: those of the monitors in the defaults of a process, or else of its steps."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from tests.api.conftest import Installation
from tests.api.test_api_inbox import AGENTS, inbox
from tests.api.test_api_monitored import raise_alert


def test_alerts_reach_the_monitors_in_the_defaults_or_else_those_of_any_step(
    client: TestClient, installation: Installation
) -> None:
    step = "{{id: read, agent: writer, message: Read, roles: {{monitors: [archive]}}}}"
    text = f"name: guarded{{defaults}}\nsteps:\n  - {step}\n"
    guards = "\ndefaults: {roles: {monitors: [ledger]}}"
    installation.publish(client, text.format(defaults=""), **AGENTS)
    execution = installation.begin(client, "guarded")
    for n, defaults in enumerate(("", guards, "\ndefaults: {roles: {monitors: ['team:claims']}}", ""), 1):
        body = {"definition": text.format(defaults=defaults)}
        assert client.put("/api/processes/guarded", json=body).status_code == 200
        assert client.post("/api/processes/guarded/publish").status_code == 200
        raise_alert(installation, UUID(int=n), "guarded", execution)
    installation.project()
    positions = [
        each["position"] for each in client.get("/api/events", params={"type": "CostAlertRaised"}).json()["items"]
    ]
    first, guarded, _teams, last = sorted(positions)

    def alerts(agent: str, **given: Any) -> list[int]:
        page = inbox(client, agent, params={"limit": 200, **given})
        return [each["position"] for each in page["items"] if each["type"] == "CostAlertRaised"]

    assert alerts("archive") == [first, last]
    assert alerts("ledger") == [guarded]
    # Out of the log, by the roles of now: nobody stands in the defaults any more.
    assert alerts("archive", from_position=0) == sorted(positions)
    assert alerts("ledger", from_position=0) == []
