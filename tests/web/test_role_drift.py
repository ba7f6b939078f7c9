"""Role drift: the executors that versions assign against the agents that have answered, by process and by agent."""

from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import AnswerStep
from domain.agents.calls import Answer, Completed, Failed, StepError
from queries.role_drift import get_agent_drift
from tests.api.conftest import Installation, cause

CLAIM = """
name: claim
steps:
  - id: ask
    agent: writer
    message: go
    roles: {informed: [archive, ledger, nobody, quiet], monitors: [watch]}
  - {id: later, agent: writer, message: go, depends_on: ask}
"""
AGENTS = {each: {"script": "echo"} for each in ("writer", "reader", "archive", "ledger", "quiet", "watch")}


def answer(installation: Installation, execution: UUID, attempt: int, given: Answer) -> None:
    installation.take(execution, "ask", attempt)
    installation.executions.answer(AnswerStep(execution, "ask", attempt, given), cause())


@pytest.fixture
def drifted(client: TestClient, installation: Installation) -> Installation:
    """Return an installation in which an operator gave a step to another agent, and then a version to a third one."""
    installation.publish(client, CLAIM, **AGENTS)
    first, second = (installation.begin(client, "claim") for _ in range(2))
    answer(installation, first, 1, Completed("yes"))
    answer(installation, second, 1, Failed(StepError("agent_error", "no")))
    client.post(f"/api/executions/{second}/steps/ask/reassign", json={"agent": "reader", "reason": "better"})
    answer(installation, second, 2, Completed("yes"))
    changes = {"assign": [{"step": "ask", "agent": "reader", "role": "executor"}]}
    assert client.put("/api/processes/claim/roles", json=changes).status_code == 200
    assert client.post("/api/processes/claim/publish", json={}).status_code == 200
    answer(installation, installation.begin(client, "claim"), 1, Completed("yes"))
    installation.project()
    return installation


def test_an_agent_that_answers_in_place_of_the_executor_of_its_version_drifts(
    client: TestClient, drifted: Installation
) -> None:
    found = client.get("/api/processes/claim/roles/drift").json()
    assert (found["process"], found["version"], found["days"], found["drifting"]) == ("claim", 2, 30, 1)
    facts = {
        step["step"]: (
            step["executor"],
            step["drifts"],
            [
                (a["version"], a["agent"], a["assigned"], a["drifts"], a["completed"], a["failed"])
                for a in step["answers"]
            ],
        )
        for step in found["steps"]
    }
    assert facts == {
        "ask": (
            "reader",
            True,
            [
                (2, "reader", "reader", False, 1, 0),
                (1, "reader", "writer", True, 1, 0),
                (1, "writer", "writer", False, 1, 1),
            ],
        ),
        "later": ("writer", False, []),
    }
    assert client.get("/api/processes/nobody/roles/drift").status_code == 404
    page = client.get("/processes/claim/roles").text
    assert page.count("Not the executor") == 1
    assert "writer was, in version 1" in page


def test_the_drift_of_an_agent_names_the_steps_of_visible_processes(client: TestClient, drifted: Installation) -> None:
    found = client.get("/api/agents/reader/drift").json()
    assert found["drifting"] == 1
    assert [(a["process"], a["version"], a["step"], a["assigned"], a["completed"]) for a in found["answers"]] == [
        ("claim", 2, "ask", "reader", 1),
        ("claim", 1, "ask", "writer", 1),
    ]
    assert get_agent_drift(drifted.reading, "reader", within=("other",)).answers == []
    assert client.get("/api/agents/nobody/drift").status_code == 404
    assert "writer was, in version 1" in client.get("/agents/reader").text


def test_the_drift_of_an_agent_says_who_was_notified_and_how_far(client: TestClient, drifted: Installation) -> None:
    assert client.put("/api/agents/quiet/inbox/filter", json={"steps": ["later"]}).status_code == 200
    drifted.project()
    answer(drifted, drifted.begin(client, "claim"), 1, Completed("again"))
    drifted.project()
    page = client.get("/api/agents/archive/inbox").json()
    client.post("/api/agents/archive/inbox/ack", json={"cursor": page["cursor"]})
    client.get("/api/agents/ledger/inbox")

    def states() -> dict[str, str]:
        [one, other] = client.get("/api/agents/reader/drift").json()["answers"]
        assert one["notified"] == other["notified"]
        assert (one["notified"]["outcome"], one["notified"]["holders"]) == ("completed", 5)
        return {each["agent"]: each["state"] for each in one["notified"]["agents"]}

    known = {"archive": "acknowledged", "nobody": "unregistered", "quiet": "filtered", "watch": "filtered"}
    assert states() == {**known, "ledger": "delivered"}
    shown = client.get("/agents/reader").text
    assert '<a href="/agents/ledger/inbox">ledger</a> <span class="xs m">informed, delivered</span>' in shown
    answer(drifted, drifted.begin(client, "claim"), 1, Completed("and again"))
    drifted.project()
    assert states() == {**known, "archive": "pending", "ledger": "pending"}
