"""The lists of batches over HTTP: their filter, their ceiling, and who freezes and sees them."""

import dataclasses
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from tests.api.conftest import GREETING

HELD = "name: held\nsteps: [{id: rest, type: timer, duration: 10h}]\n"
BROKEN = "name: broken\nsteps: [{id: work, agent: breaker, message: go}]\n"
OTHER = GREETING.replace("name: greeting", "name: claims-intake")


@pytest.fixture
def frozen(client, installation):
    """Freeze a batch of what the filter finds; return its answer."""

    def freeze(headers=None, **body):
        installation.project()
        return client.post("/api/batches", json={"act": "cancel", **body}, headers=headers)

    return freeze


@pytest.fixture
def shown(client, installation):
    """Return a batch as it is now."""

    def show(id, headers=None):
        installation.project()
        answer = client.get(f"/api/batches/{id}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return show


@pytest.fixture
def held(client, installation):
    """Start executions that wait for hours."""
    installation.publish(client, HELD)

    def begin(count):
        return [installation.begin(client, "held") for _ in range(count)]

    return begin


@pytest.fixture
def failed(client, installation):
    """Return executions that failed at their step."""
    installation.publish(client, BROKEN, breaker={"script": "fail"})
    ids = [installation.begin(client, "broken") for _ in range(3)]
    for id in ids:
        installation.answer(id, "work", Failed(StepError("refused", "no", permanent=True)))
    return ids


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"filter": {}}, ["filter"]),
        ({"filter": {"include_children": True}}, ["filter"]),
        ({"filter": {"status": None}}, ["filter"]),
        ({"filter": {"status": []}}, ["filter"]),
        ({}, ["filter"]),
        ({"filter": {"statuses": "failed"}}, ["filter.statuses"]),
        ({"filter": {"order": "oldest"}}, ["filter.order"]),
        ({"filter": {"limit": 3}}, ["filter.limit"]),
        ({"filter": {"status": "broken"}}, ["filter.status"]),
        ({"filter": {"from": "yesterday", "version": "one"}}, ["filter.version", "filter.from"]),
        ({"filter": {"process": {"name": "x"}}}, ["filter.process"]),
        ({"filter": {"status": "failed"}, "act": "skip"}, ["step"]),
        ({"filter": {"status": "failed"}, "act": "archive"}, ["act"]),
        ({"filter": {"status": "failed"}, "dry_run": False}, ["dry_run"]),
        ({"filter": {"status": "failed"}, "act": "skip", "agent": "writer"}, ["step", "agent"]),
        ({"filter": "status"}, ["filter"]),
        ({"filter": {"status": "failed"}, "why": "x"}, ["why"]),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_with_every_problem(shared_client, body, paths):
    answer = shared_client.post("/api/batches", json={"act": "cancel", **body})
    assert answer.status_code == 422, answer.text
    assert [problem["path"] for problem in answer.json()["problems"]] == paths


def test_nothing_is_frozen_where_nothing_matches(shared_client):
    answer = shared_client.post("/api/batches", json={"act": "cancel", "filter": {"status": "failed"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_matches")


def test_more_than_the_ceiling_is_refused_with_the_count(client, installation, held, frozen, monkeypatch):
    held(4)
    monkeypatch.setattr(client.app.state, "door", dataclasses.replace(client.app.state.door, max_batch=3))
    answer = frozen(filter={"process": "held"})
    assert (answer.status_code, answer.json()["code"], answer.json()["count"]) == (422, "too_many_executions", 4)
    assert "PROCESSION_MAX_BATCH" in answer.json()["problems"][0]["hint"]
    assert frozen(filter={"process": "held", "q": str(uuid4())[-8:]}).status_code == 409


def test_the_filter_finds_what_the_list_of_executions_finds(client, installation, start, failed, frozen):
    for _ in range(2):
        start()
    installation.project()
    for query in (
        {"status": "failed,running"},
        {"status": ["failed"], "failed_step": "work"},
        {"process": "greeting", "version": 1},
        {"from": "2020-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z"},
        {"failure": "refused", "include_children": True},
    ):
        listed = client.get("/api/executions", params=query).json()["items"]
        answer = frozen(filter=query)
        assert (answer.status_code, answer.json().get("count")) == (201, len(listed)), answer.text
        assert len(listed) > 0


def test_the_list_of_executions_finds_those_of_a_batch_and_no_later_one(client, installation, held, frozen):
    ids = [str(id) for id in held(3)]
    first = frozen(filter={"process": "held"}).json()["batch_id"]
    [later] = held(1)
    second = frozen(filter={"batch": first, "q": ids[0][-8:]}).json()
    assert second["count"] == 1

    def listed(**query):
        answer = client.get("/api/executions", params=query)
        assert answer.status_code == 200, answer.text
        return [each["execution_id"] for each in answer.json()["items"]]

    installation.project()
    assert listed(batch=first) == ids[::-1]
    assert listed(batch=first, order="oldest") == ids
    assert listed(batch=second["batch_id"]) == ids[:1]
    assert listed(batch=f"{first},{uuid4()}") == ids[::-1]
    assert listed(batch=first, process="other") == listed(batch=str(later)) == listed(batch=str(uuid4())) == []
    answer = client.get("/api/executions?batch=nothing")
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["path"] == "batch"


def test_a_list_is_as_fresh_as_requested(client, installation, held):
    held(2)
    installation.wait_seconds = 0.1
    body = {"act": "cancel", "filter": {"process": "held"}}
    with TestClient(installation.app) as impatient:
        path = f"/api/batches?min_position={installation.log.last_position()}"
        assert impatient.post(path, json=body).json()["code"] == "not_yet"
        installation.project()
        assert impatient.post(path, json=body).json()["count"] == 2


def test_a_limited_key_freezes_what_it_sees_and_sees_no_other_batch(client, installation, root, key, shown):
    client.headers.update(root)
    for source in (GREETING, OTHER):
        installation.publish(client, source, writer={"script": "echo"})
    for process in ("greeting", "claims-intake"):
        given = {"input": {"name": "Ann"}}
        assert client.post(f"/api/processes/{process}/executions", json=given).status_code == 202
    installation.project()
    body = {"act": "cancel", "filter": {"status": "running"}}
    both = client.post("/api/batches", json=body).json()
    for header in root:
        del client.headers[header]
    desk = key("operator", name="desk", processes=["claims-*"])
    own = client.post("/api/batches", json=body, headers=desk).json()
    assert (both["count"], own["count"]) == (2, 1)
    assert shown(own["batch_id"], desk)["processes"] == ["claims-intake"]
    listed = client.get("/api/batches", headers=desk).json()["items"]
    assert [each["batch_id"] for each in listed] == [own["batch_id"]]
    assert client.get(f"/api/batches/{both['batch_id']}", headers=desk).status_code == 404
    for act in ("run", "stop"):
        answer = client.post(f"/api/batches/{both['batch_id']}/{act}", json={"reason": "mine"}, headers=desk)
        assert answer.status_code == 404
    answer = client.post(f"/api/batches/{own['batch_id']}/run", json={"reason": "mine"}, headers=desk)
    assert answer.status_code == 202
    assert installation.log.stream(UUID(own["batch_id"]))[-1].actor == "user:desk"


@pytest.mark.parametrize("scope", ["viewer", "designer", "approver", "agent:writer"])
def test_a_key_that_may_not_act_on_one_may_not_act_on_many(client, key, scope):
    shown = key(scope, name="other")
    body = {"act": "skip", "step": "work", "filter": {"status": "failed"}}
    answer = client.post("/api/batches", json=body, headers=shown)
    assert (answer.status_code, answer.json()["permission"]) == (403, "executions:write")
