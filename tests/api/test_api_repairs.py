"""What operators do over HTTP about executions that failed and steps that do not come to an end."""

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError

WHY = {"reason": "the agent is back"}
TWO_STEPS = """
name: two-steps
steps:
  - {id: first, agent: first, message: hello}
  - {id: second, agent: echo, message: "{{ steps.first.output | default('nothing') }}", depends_on: first}
outputs: {said: "{{ steps.second.output }}"}
"""
ECHO = {"script": "echo"}


@pytest.fixture
def failed(installation: Any, start: Any) -> UUID:
    """An execution that failed in its first step."""
    id: UUID = start()
    installation.answer(id, "greet", Failed(StepError("busy", "come back later")))
    assert installation.executions.load(id).status == "failed"
    return id


def test_a_failed_execution_goes_on_in_a_new_attempt_that_no_api_process_takes(
    client: TestClient, installation: Any, failed: UUID
) -> None:
    answer = client.post(f"/api/executions/{failed}/retry", json=WHY)
    assert (answer.status_code, answer.json()) == (
        202,
        {"execution_id": str(failed), "position": installation.log.last_position()},
    )
    assert installation.types(failed)[-2:] == ["ExecutionRetried", "StepScheduled"]
    assert installation.executions.load(failed).steps["greet"].attempt == 2
    with installation.datastore.reading() as connection:
        due = connection.execute("select step, attempt, owner from due_steps").fetchall()
    assert due == [{"step": "greet", "attempt": 2, "owner": None}]
    again = client.post(f"/api/executions/{failed}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "execution_not_failed")


@pytest.mark.parametrize("command", ["retry", "steps/greet/retry", "steps/greet/skip", "steps/greet/reassign"])
def test_a_repair_sent_twice_with_one_key_is_made_once(
    client: TestClient, installation: Any, failed: UUID, command: str
) -> None:
    body = WHY | ({"agent": "writer"} if command.endswith("reassign") else {})
    headers = {"Idempotency-Key": "once", "X-Actor": "ann"}
    first = client.post(f"/api/executions/{failed}/{command}", json=body, headers=headers)
    assert first.status_code == 202, first.text
    events = installation.events()
    again = client.post(f"/api/executions/{failed}/{command}", json=body, headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
    assert installation.events() == events
    retried = client.get(f"/api/executions/{failed}/events").json()["items"]
    said = [(each["actor"], each["data"]["reason"]) for each in retried if each["type"] == "ExecutionRetried"]
    assert said == [("user:ann", "the agent is back")]


def test_a_worker_takes_up_what_is_retried(client: TestClient, installation: Any, worker: Any) -> None:
    installation.publish(client, TWO_STEPS, first={"script": "flaky", "failures": 1}, echo=ECHO)
    id = installation.begin(client, "two-steps")
    installation.until(lambda: installation.executions.load(id).status == "failed")
    assert client.post(f"/api/executions/{id}/retry", json=WHY).status_code == 202
    installation.until(lambda: installation.executions.load(id).status == "completed")
    assert installation.types(id).count("ExecutionFailed") == 1


@pytest.mark.parametrize(
    ("command", "body", "said"), [("reassign", {"agent": "echo", **WHY}, "hello"), ("skip", WHY, "nothing")]
)
def test_a_step_under_way_is_given_to_another_agent_or_left_out(
    client: TestClient, installation: Any, worker: Any, command: str, body: Any, said: str
) -> None:
    installation.publish(client, TWO_STEPS, first={"script": "slow", "delay": "1h"}, echo=ECHO)
    id = installation.begin(client, "two-steps")
    installation.until(lambda: "StepStarted" in installation.types(id))
    answer = client.post(f"/api/executions/{id}/steps/first/{command}", json=body)
    assert (answer.status_code, answer.json()["step"]) == (202, "first")
    installation.until(lambda: installation.executions.load(id).status == "completed")
    assert installation.log.stream(id)[-1].outputs == {"said": said}


def test_a_step_that_is_due_already_need_not_be_retried(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    events = installation.events()
    answer = client.post(f"/api/executions/{id}/steps/greet/retry", json=WHY)
    assert (answer.status_code, answer.json()["duplicate"]) == (202, True)
    assert installation.events() == events


def test_only_an_agent_that_takes_work_is_given_a_step(
    client: TestClient, installation: Any, start: Any, problem_codes: Any
) -> None:
    id = start()
    client.put("/api/agents/former", json={"kind": "scripted", "script": "echo"})
    client.delete("/api/agents/former")
    events = installation.events()
    for agent, code in {"nobody": "unknown_agent", "former": "retired_agent"}.items():
        answer = client.post(f"/api/executions/{id}/steps/greet/reassign", json={"agent": agent, **WHY})
        assert (answer.status_code, problem_codes(answer)) == (409, [code])
    assert installation.events() == events


def test_what_a_rule_refuses_is_told_by_its_name(client: TestClient, start: Any) -> None:
    id = start()
    for command, status, code in (
        ("retry", 409, "execution_not_failed"),
        ("steps/check/skip", 409, "step_not_reached"),
        ("steps/nowhere/retry", 404, "not_found"),
    ):
        answer = client.post(f"/api/executions/{id}/{command}", json=WHY)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    client.post(f"/api/executions/{id}/cancel", json={})
    answer = client.post(f"/api/executions/{id}/steps/greet/skip", json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "execution_ended")
    assert client.post(f"/api/executions/{UUID(int=1)}/retry", json=WHY).status_code == 404
    assert client.post("/api/executions/x/steps/greet/retry", json=WHY).status_code == 404


def test_a_repair_of_a_step_says_why(client: TestClient, installation: Any, failed: UUID) -> None:
    events = installation.events()
    for body in ({}, {"reason": " "}, {"reason": 1}, {"reason": "x" * 2_001}, {"raeson": "x"}):
        for command in ("retry", "skip", "reassign"):
            document = client.post(f"/api/executions/{failed}/steps/greet/{command}", json=body).json()
            assert document["status"] == 422
            assert "reason" in {problem["path"] for problem in document["problems"]}
            assert command != "reassign" or "agent" in {problem["path"] for problem in document["problems"]}
    assert installation.events() == events


@pytest.mark.parametrize(
    ("act", "events"),
    [
        ("retry", ["ExecutionRetried", "StepScheduled"]),
        ("steps/greet/retry", ["ExecutionRetried", "StepScheduled"]),
        ("steps/greet/skip", ["StepSkipped"]),
        ("steps/greet/reassign", ["StepReassigned"]),
    ],
)
def test_a_dry_run_answers_with_the_events_and_records_nothing(
    client: TestClient, installation: Any, failed: UUID, act: str, events: list[str]
) -> None:
    body = WHY | ({"agent": "writer"} if act.endswith("reassign") else {})
    before = installation.events()
    answer = client.post(f"/api/executions/{failed}/{act}?dry_run=true", json=body, headers={"Idempotency-Key": "dry"})
    assert answer.status_code == 200, answer.text
    would = answer.json()["would"]
    assert set(events) <= {each["type"] for each in would}
    assert {each["stream"] for each in would} == {str(failed)}
    assert installation.events() == before
    carried_out = client.post(f"/api/executions/{failed}/{act}", json=body, headers={"Idempotency-Key": "dry"})
    assert carried_out.status_code == 202, carried_out.text
    recorded = client.get(f"/api/executions/{failed}/events").json()["items"][-len(would) :]
    assert [(each["type"], each["data"]) for each in recorded] == [(each["type"], each["data"]) for each in would]


def test_a_dry_run_is_refused_as_the_act_would_be(client: TestClient, start: Any) -> None:
    id = start()
    answer = client.post(f"/api/executions/{id}/retry?dry_run=true", json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "execution_not_failed")
    unsure = client.post(f"/api/executions/{id}/cancel?dry_run=perhaps", json=WHY)
    assert unsure.status_code == 400
