"""Pages of agents: the list, one with its trial, the form that registers it, its retirement."""

import logging
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from domain.agents.kinds import KINDS
from store.datastore import Datastore
from tests.api.conftest import GREETING, Installation, installed

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\"'"
REGISTER = "/agents/-/register"
CHAT = {
    "kind": "openai_chat",
    "name": "model",
    "base_url": "https://models.example/v1",
    "model": "m",
    "api_key": "${ORDERS_SECRET}",
    "temperature": "0.5",
    "json_mode": "off",
    "headers": '{"X-Team": "claims"}',
    "max_open": "3",
}


@pytest.fixture
def installation(read_tables: Datastore) -> Iterator[Installation]:
    with installed(read_tables) as made:
        yield made
        made.trials.close()


@pytest.fixture
def writer(installation: Installation, client: TestClient) -> None:
    """An agent that a process names, one step of which it has carried out, and failed another."""
    installation.publish(client, GREETING, writer={"script": "echo"})
    installation.project()


def test_an_empty_installation_says_what_would_be_there(client: TestClient) -> None:
    assert "No agent yet" in client.get("/agents").text
    assert "No agent matches" in client.get("/agents?status=retired").text
    assert client.get("/agents/nobody").status_code == 404


@pytest.mark.usefixtures("writer")
def test_an_agent_shows_where_it_is_named_and_its_latest_steps(installation: Installation, client: TestClient) -> None:
    ids = [
        client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()["execution_id"]
        for _ in range(2)
    ]
    installation.answer(UUID(ids[0]), "greet")
    installation.answer(UUID(ids[1]), "greet", Failed(StepError("agent_error", HOSTILE, permanent=True)))
    installation.project()
    listed = client.get("/agents?kind=scripted").text
    assert 'href="/agents/writer"' in listed
    assert re.search(r">2<div[^>]*>1 failed<span[^>]*> agent_error<", listed)
    page = client.get("/agents/writer").text
    for words in ("echo", 'href="/processes/greeting"', "step greet", "step check", "executor", "agent_error", *ids):
        assert words in page
    assert "Completed" in page
    assert "Failed" in page
    assert "alert(1)" not in page


def test_a_person_registers_an_agent_of_a_kind_and_changes_it(installation: Installation, client: TestClient) -> None:
    for kind, field in {**dict.fromkeys(KINDS, "base_url"), "http": "url", "scripted": "script"}.items():
        assert f'name="{field}"' in client.get(f"{REGISTER}?kind={kind}").text
    for kind in ("openai_responses", "anthropic"):
        fields = {"kind": kind, "name": kind.replace("_", "-"), "model": "m", "stream": "true"}
        assert client.post(REGISTER, data=fields).status_code == 303
    answer = client.post(REGISTER, data=CHAT)
    assert answer.status_code == 303, answer.text
    installation.project()
    page = client.get(answer.headers["location"]).text
    assert "The agent is registered." in page
    assert 'class="tag mono">ORDERS_SECRET<' in page
    assert re.search(r"openai_chat<div[^>]*>m<", client.get("/agents").text)
    config = client.get("/api/agents/model").json()
    assert (config["config"]["temperature"], config["max_open"]) == (0.5, 3)
    assert config["config"]["headers"] == {"X-Team": "claims"}
    form = unescape(client.get(f"{REGISTER}?name=model").text)
    for words in ("https://models.example/v1", "${ORDERS_SECRET}", 'value="0.5"', 'value="3"', '{"X-Team":"claims"}'):
        assert words in form
    assert client.get("/api/agents/anthropic").json()["config"]["stream"] is True
    assert client.post(REGISTER, data=CHAT | {"changed": "model", "model": "other"}).status_code == 303
    installation.project()
    assert client.get("/api/agents/model").json()["config"]["model"] == "other"


def test_every_problem_stands_at_its_field_and_nothing_typed_is_lost(client: TestClient) -> None:
    wrong = {"name": "Not A Name", "base_url": "nowhere", "temperature": "hot", "headers": "{", "system": HOSTILE}
    answer = client.post(REGISTER, data=CHAT | wrong)
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert len(re.findall('aria-invalid="true"', page)) == 4
    for text in wrong.values():
        assert text in page
    assert "<img src=x" not in answer.text
    secret = client.post(REGISTER, data=CHAT | {"api_key": "${NOT_ALLOWED}"})
    assert "is not in PROCESSION_AGENT_SECRETS" in secret.text
    assert client.post(REGISTER, json=CHAT).status_code == 415
    assert client.get("/api/agents").json()["items"] == []


@pytest.mark.usefixtures("writer")
def test_an_agent_is_tried_and_nothing_is_recorded(
    installation: Installation, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    before = installation.log.last_position()
    with caplog.at_level(logging.INFO, "procession.trials"):
        page = client.post("/agents/writer/try", data={"message": HOSTILE}).text
    assert unescape(page).count(HOSTILE) == 2
    assert "<img src=x" not in page
    assert "Completed" in page
    assert "tokens in" in page
    assert installation.log.last_position() == before
    (line,) = [record.getMessage() for record in caplog.records if record.name == "procession.trials"]
    assert line.startswith("user:anonymous tried the agent writer: completed in ")
    assert "alert" not in line
    assert client.post("/agents/writer/try", data={"message": " "}).status_code == 422
    assert client.post("/agents/writer/try", data={"message": "x" * 100_001}).status_code == 422
    assert client.post("/agents/nobody/try", data={"message": "x"}).status_code == 404


@pytest.mark.usefixtures("writer")
def test_retiring_shows_its_consequences(installation: Installation, client: TestClient) -> None:
    client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    installation.project()
    page = client.get("/agents/writer/retire").text
    assert "2 steps of 1 process" in client.get("/agents").text
    for words in (
        "1 attempt is",
        "1 execution</b> under way runs a version that names it",
        "2 steps name",
        'href="/processes/greeting"',
    ):
        assert words in page
    assert client.post("/agents/writer/retire", data={"reason": " "}).status_code == 422
    answer = client.post("/agents/writer/retire", data={"reason": "old"})
    assert answer.status_code == 303
    installation.project()
    page = client.get(answer.headers["location"]).text
    assert "The agent is retired." in page
    assert "/try" not in page
    assert client.post("/agents/writer/try", data={"message": "x"}).status_code == 409
    assert client.post(REGISTER, data={"kind": "scripted", "name": "writer", "script": "echo"}).status_code == 303


@pytest.mark.usefixtures("writer")
def test_what_a_key_does_not_permit_is_not_shown(installation: Installation, client: TestClient) -> None:
    client.post(REGISTER, data=CHAT)
    installation.project()
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    viewer = client.post(
        "/api/keys",
        json={"name": "vera", "scopes": ["viewer"], "processes": ["other*"]},
        headers={"Authorization": f"Bearer {root}"},
    ).json()["key"]
    shown: Any = {"Authorization": f"Bearer {viewer}"}
    installation.until(lambda: client.get("/agents").status_code != 200)
    page = client.get("/agents/model", headers=shown).text
    for words in ("models.example", "ORDERS_SECRET", "/try", "/retire", "Change"):
        assert words not in page
    assert "Only admins see" in page
    assert "greeting" not in client.get("/agents/writer", headers=shown).text
    assert client.get(REGISTER, headers=shown).status_code in (403, 404)
    assert client.get("/agents/model/retire", headers=shown).status_code in (403, 404)
    for path, form in (("try", {"message": "x"}), ("retire", {"reason": "x"})):
        assert client.post(f"/agents/model/{path}", headers=shown, data=form).status_code in (403, 404)


CLAIM = """
name: claim
labels: [money]
steps:
  - {id: read, agent: writer, message: Read, roles: {informed: [archive], monitors: [watch]}}
  - {id: decide, agent: writer, message: Decide, depends_on: [read], roles: {informed: [ledger], monitors: [archive]}}
"""


def test_the_list_shows_what_is_unread_in_each_inbox(installation: Installation, client: TestClient) -> None:
    # given agents with roles, one of which has read all and narrows what it gets
    agents = ("writer", "archive", "ledger", "watch")
    installation.publish(client, CLAIM, **{name: {"script": "echo"} for name in agents})
    installation.project()
    for labels in (["money"], ["other"]):
        execution = installation.begin(client, "claim")
        installation.answer(execution, "read")
        installation.answer(execution, "decide")
        installation.project()
        client.put("/api/agents/archive/inbox/filter", json={"labels": labels})
    every = client.put("/api/agents/ledger/inbox/filter", json={"types": ["StepCompleted", "ExecutionCompleted"]})
    assert every.status_code == 200
    installation.answer(installation.begin(client, "claim"), "read")
    installation.project()
    cursor = client.get("/api/agents/watch/inbox").json()["cursor"]
    assert client.post("/api/agents/watch/inbox/ack", json={"cursor": cursor}).status_code == 200
    installation.project()

    # when the list is read, then it counts what the inboxes hold, and an agent without roles has none
    shown = dict(re.findall(r'<a href="/agents/(\w+)/inbox">([\d,+]+)<', client.get("/agents").text))
    states = {name: client.get(f"/api/agents/{name}/inbox/state").json()["pending"] for name in agents[1:]}
    assert shown == {name: str(pending) for name, pending in states.items()}
    assert (states["archive"], states["watch"]) == (2, 0)
    assert states["ledger"] > 1
