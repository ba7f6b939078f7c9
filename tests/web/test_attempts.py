"""Every attempt of a step, and every child with its duration, on the page and over HTTP."""

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import AnswerStep
from domain.agents.calls import Completed, Failed, StepError, Usage
from queries.attempts import LONGEST_MESSAGE, TOO_LONG
from tests.api.conftest import Installation, cause, worker  # noqa: F401 - a fixture

INNER = """name: inner
steps: [{id: write, agent: broken, message: go, retry: {max_attempts: 2, initial_delay: 0s}}]
"""
TWICE = """name: twice
steps: [{id: one, agent: broken, message: go}, {id: two, agent: broken, message: go, depends_on: one}]
"""
OUTER = "name: outer\nsteps: [{id: call, type: sub_process, process: inner, wait: true}]\n"


@pytest.fixture
def child(installation: Installation, client: TestClient, worker: object) -> dict[str, Any]:  # noqa: F811
    """The failed child of a failed execution, as its parent shows it, with the parent's id."""
    installation.publish(client, INNER, broken={"script": "fail"})
    installation.publish(client, OUTER)
    id = UUID(client.post("/api/processes/outer/executions", json={"input": {}}).json()["execution_id"])
    installation.until(lambda: "ExecutionFailed" in installation.types(id))
    installation.project()
    (step,) = client.get(f"/api/executions/{id}").json()["steps"]
    (found,) = step["children"]
    return {**found, "parent": id}


def test_every_attempt_of_a_step_is_shown(client: TestClient, child: dict[str, Any]) -> None:
    id = child["execution_id"]
    (step,) = client.get(f"/api/executions/{id}").json()["steps"]
    attempts = step["attempt_list"]
    assert [(each["attempt"], each["status"], each["agent"], each["late"]) for each in attempts] == [
        (1, "failed", "broken", False),
        (2, "failed", "broken", False),
    ]
    assert all(each["scheduled_at"] <= each["started_at"] <= each["ended_at"] for each in attempts)
    assert attempts[1]["error"]["code"] == step["error"]["code"]
    page = client.get(f"/executions/{id}?step=write").text
    assert page.count('class="f-bad" x=') == 2
    assert "Attempts" in page


def test_attempts_are_those_of_the_point_that_is_shown(client: TestClient, child: dict[str, Any]) -> None:
    id = child["execution_id"]
    events = client.get(f"/api/executions/{id}/events").json()["items"]
    first_failure = next(each["position"] for each in events if each["type"] == "StepFailed")
    (then,) = client.get(f"/api/executions/{id}?as_of={first_failure}").json()["steps"]
    (now,) = client.get(f"/api/executions/{id}").json()["steps"]
    assert then["attempt_list"] == now["attempt_list"][:1]
    (last,) = client.get(f"/api/executions/{id}?as_of={events[-1]['position']}").json()["steps"]
    assert last["attempt_list"] == now["attempt_list"]


def test_a_child_shows_its_duration_on_the_page_of_its_caller(client: TestClient, child: dict[str, Any]) -> None:
    assert (child["status"], child["cost"]) == ("failed", [])
    assert child["duration"] >= 0
    assert "attempt 1, version 1" in client.get(f"/executions/{child['parent']}?step=call").text


@pytest.mark.parametrize("length", [10, 1_900, 2_100, 5_000, 100_000])
def test_attempts_with_large_outputs_and_errors_are_those_that_the_log_holds(
    installation: Installation, client: TestClient, length: int
) -> None:
    installation.publish(client, TWICE, broken={"script": "echo"})
    id = installation.begin(client, "twice")
    installation.answer(id, "one", Completed("x" * length, usage=Usage(3, 4, raw={"x": "y" * length})))
    installation.take(id, "two")
    failed = Failed(StepError("broken", "e" * length, permanent=True))
    installation.executions.answer(AnswerStep(id, "two", 1, failed), cause())
    position = installation.project()
    now = client.get(f"/api/executions/{id}").json()["steps"]
    then = client.get(f"/api/executions/{id}?as_of={position}").json()["steps"]
    assert [each["attempt_list"] for each in now] == [each["attempt_list"] for each in then]
    ((one,), (two,)) = (each["attempt_list"] for each in now)
    assert (one["status"], one["agent"]) == ("completed", "broken")
    assert one["usage"] == {"input_tokens": 3, "output_tokens": 4}
    assert (two["status"], two["error"]["code"]) == ("failed", "broken")
    assert two["error"]["message"] == ("e" * length if length <= LONGEST_MESSAGE else TOO_LONG)
