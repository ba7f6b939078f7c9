"""Limits of agents over HTTP and on pages: registered, in use, and waited for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.limits import AgentLimits
from scheduler.stored_lists import StoredLists
from store.datastore import Datastore, OwnConnection
from store.lists.turns import UNKNOWN
from tests.api.conftest import Installation, installed

SOURCE = """
name: limited
steps:
  - {id: first, agent: bound, message: m}
  - {id: second, agent: bound, message: m}
  - {id: other, agent: free, message: m}
"""
LIMITS = {"rate": {"calls": 1, "per": "1h"}, "tokens": {"per_minute": 90000}, "max_open": 3}
WORKER = UUID(int=7)


@pytest.fixture
def installation(read_tables: Datastore) -> Iterator[Installation]:
    with installed(read_tables) as made:
        yield made
        made.trials.close()


@pytest.fixture
def lists(installation: Any) -> Any:
    opened = StoredLists(OwnConnection(installation.datastore))
    yield opened
    opened.close()


@pytest.fixture
def waiting(client: TestClient, installation: Any, lists: Any) -> UUID:
    """An execution of which one step is with an agent at its rate, one waits for that, and one for another agent."""
    installation.publish(client, SOURCE, bound={"script": "echo", **LIMITS}, free={"script": "echo"})
    id: UUID = installation.begin(client, "limited")
    lists.ensure_limits(["bound"])
    limited = {"bound": AgentLimits(3, 1, timedelta(hours=1), 90_000)}
    lists.claim_steps(WORKER, 100, {"free": 0}, UNKNOWN, limited)
    installation.project()
    return id


def test_an_execution_waits_for_the_rate_of_an_agent_until_it_admits_the_next_call(
    client: TestClient, waiting: UUID
) -> None:
    detail = client.get(f"/api/executions/{waiting}").json()["waiting_for"]
    (listed,) = client.get("/api/executions").json()["items"]
    assert detail == listed["waiting_for"]
    assert [each["kind"] for each in detail] == ["agent", "agent", "rate"]
    assert {each["step"] for each in detail} == {"first", "second", "other"}
    until = datetime.fromisoformat(detail[2]["until"])
    assert until > datetime.now(until.tzinfo) + timedelta(minutes=50)
    for kinds, found in (("rate", [listed]), ("agent", [listed]), ("timer", [])):
        assert client.get("/api/executions", params={"waiting_for": kinds}).json()["items"] == found
    page = client.get(f"/executions/{waiting}").text
    assert "1 agent at its limits" in page
    assert "admits the next call" in page
    assert "waits for the limits of an agent" in client.get("/executions?waiting_for=rate").text


def test_a_step_that_waits_for_a_rate_alone_is_not_found_among_those_that_wait_for_agents(
    client: TestClient, waiting: UUID, installation: Any
) -> None:
    with installation.datastore.reading() as connection:
        connection.execute("delete from due_steps where owner is not null or agent = 'free'")
    assert client.get("/api/executions", params={"waiting_for": "agent"}).json()["items"] == []
    (found,) = client.get("/api/executions", params={"waiting_for": "rate"}).json()["items"]
    assert [each["kind"] for each in found["waiting_for"]] == ["rate"]


def test_an_agent_shows_its_limits_what_it_uses_of_them_and_that_it_is_paused(
    client: TestClient, waiting: UUID, lists: Any
) -> None:
    agent = client.get("/api/agents/bound").json()
    assert (agent["max_open"], agent["config"]["rate"], agent["config"]["tokens"]) == (
        3,
        {"calls": 1, "per": "1h"},
        {"per_minute": 90000},
    )
    use = agent["limit_use"]
    assert (use["open"], use["paused_until"], use["tokens_per_call"]) == (1, None, None)
    assert datetime.fromisoformat(use["next_call_at"]) > datetime.fromisoformat(agent["registered_at"])
    page = client.get("/agents/bound").text
    assert "1 open under limits" in page
    assert "1 call in 1h" in page
    assert "90,000 in a minute" in page
    assert "by its limits" in page
    assert "at its limits" in client.get("/agents").text
    assert client.get("/api/agents/free").json()["limit_use"] is None
    assert client.get("/health/ready").json()["paused_agents"] == 0
    lists.pause_agents({"free": timedelta(minutes=5)})
    assert client.get("/health/ready").json()["paused_agents"] == 1
    assert "procession_paused_agents 1.0\n" in client.get("/metrics").text
    assert client.get("/api/agents/free").json()["limit_use"]["paused_until"] is not None
    assert "as the agent requests" in client.get("/agents/free").text
    assert "paused until" in client.get("/agents").text


def test_every_mistake_in_limits_is_located_and_a_form_has_them(client: TestClient) -> None:
    wrong = {"kind": "scripted", "script": "echo", "rate": {"calls": 0, "per": "1ms"}, "tokens": {"per_minute": 0}}
    refused = client.put("/api/agents/bound", json=wrong)
    paths = ["rate.calls", "rate.per", "tokens.per_minute"]
    assert (refused.status_code, [each["path"] for each in refused.json()["problems"]]) == (422, paths)
    fields = {"kind": "scripted", "name": "bound", "script": "echo", "rate": '{"calls": 0, "per": "1m"}'}
    again = client.post("/agents/-/register", data=fields)
    assert again.status_code == 422
    assert 'aria-invalid="true"' in again.text
    right = fields | {"rate": '{"calls": 60, "per": "1m"}', "tokens": '{"per_minute": 90000}'}
    assert client.post("/agents/-/register", data=right).status_code == 303
