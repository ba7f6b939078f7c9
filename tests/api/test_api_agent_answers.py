"""The answers of agents in 24 hours: every attempt counts, whatever becomes of it, where its process is visible."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import AnswerStep
from domain.agents.calls import Answer, Completed, Failed, StepError
from domain.identity import process_id
from domain.money import Money
from queries.agents import AgentFilter, get_agent, list_agents
from queries.step_answers import list_step_answers
from tests.api.conftest import Installation, cause

HOSTILE = 'no, "100%" & <b>🙂'
PROCESS = """
name: {name}
steps:
  - {{id: ask, agent: writer, message: go}}
"""


def answer(installation: Installation, execution_id: UUID, attempt: int, given: Answer) -> None:
    installation.take(execution_id, "ask", attempt)
    installation.executions.answer(AnswerStep(execution_id, "ask", attempt, given), cause())


@pytest.fixture
def answered(client: TestClient, installation: Installation) -> Installation:
    """Return an installation in which attempts of two processes ended well and badly."""
    for name in ("asking", "other"):
        installation.publish(client, PROCESS.format(name=name), writer={"script": "echo"}, reader={"script": "echo"})
    cost = {name: Money(Decimal(amount), "EUR") for name, amount in (("well", "0.25"), ("badly", "0.10"))}
    first, second, third = (installation.begin(client, name) for name in ("asking", "asking", "other"))
    answer(installation, first, 1, Completed("yes", cost=cost["well"]))
    answer(installation, second, 1, Failed(StepError(HOSTILE, "no"), cost=cost["badly"]))
    answer(installation, third, 1, Completed("yes"))
    client.post(f"/api/executions/{second}/steps/ask/reassign", json={"agent": "reader", "reason": "better"})
    answer(installation, second, 2, Failed(StepError("agent_error", "no")))
    installation.project()
    return installation


def test_every_attempt_counts_for_the_agent_that_had_it(client: TestClient, answered: Installation) -> None:
    found = {each["name"]: each["last_24_hours"] for each in client.get("/api/agents").json()["items"]}
    assert (found["writer"]["completed"], found["writer"]["failed"]) == (2, 1)
    assert found["writer"]["reasons"] == [{"code": HOSTILE, "count": 1}]
    assert found["writer"]["cost"] == [{"amount": "0.35", "currency": "EUR"}]
    assert found["writer"]["median"] >= 0
    assert (found["reader"]["completed"], found["reader"]["failed"], found["reader"]["median"]) == (0, 1, None)
    for name, answers in found.items():
        assert client.get(f"/api/agents/{name}").json()["last_24_hours"] == answers


def test_only_answers_within_visible_processes_count(answered: Installation) -> None:
    def completed(*within: str) -> tuple[Any, Any]:
        listed = list_agents(answered.reading, AgentFilter(names=["writer"]), within=within).items[0].last_24_hours
        return listed, get_agent(answered.reading, "writer", within=within).last_24_hours

    for within, counts in {("asking",): (1, 1), ("oth*",): (1, 0), ("none",): (0, 0)}.items():
        for found in completed(*within):
            assert (found.completed, found.failed) == counts


def test_who_answered_for_a_step_is_stated_by_version_and_agent(answered: Installation) -> None:
    found = list_step_answers(answered.reading, process_id("asking"))
    assert [(each.version, each.step, each.agent, each.completed, each.failed) for each in found] == [
        (1, "ask", "reader", 0, 1),
        (1, "ask", "writer", 1, 1),
    ]
    assert all(each.last_at is not None for each in found)
