"""Acts on many over HTTP: the list is frozen, then run by its id, and each execution is acted on as alone."""

import dataclasses
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from tests.api.conftest import GREETING, working

ANN = {"X-Actor": "ann"}
FIELDS = ("act", "step", "status", "count", "done", "refused", "frozen_by", "run_by")
HELD = """
name: held
steps:
  - {id: rest, type: timer, duration: 10h}
"""
BROKEN = """
name: broken
steps:
  - {id: work, agent: breaker, message: go}
  - {id: after, agent: writer, message: "{{ steps.work.output | default('nothing') }}", depends_on: work}
"""
OTHER = GREETING.replace("name: greeting", "name: claims-intake")


@pytest.fixture
def frozen(client, installation):
    """Freeze a batch of what the filter finds; return its answer."""

    def freeze(headers=None, **body):
        installation.project()
        return client.post("/api/batches", json={"act": "cancel", **body}, headers=headers or ANN)

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
    """Return executions that failed at their first step."""
    installation.publish(client, BROKEN, breaker={"script": "fail"}, writer={"script": "echo"})
    ids = [installation.begin(client, "broken") for _ in range(3)]
    for id in ids:
        installation.answer(id, "work", Failed(StepError("refused", "no", permanent=True)))
    return ids


@pytest.fixture
def ended(client, installation, shown):
    """Run a batch to its end; return it."""

    def end(id, headers=ANN):
        answer = run(client, id, headers)
        assert answer.status_code == 202, answer.text
        with working(installation):
            installation.until(lambda: shown(id, headers)["status"] == "ended")
        return shown(id, headers)

    return end


def run(client, id, headers=ANN, reason="the supplier is down"):
    return client.post(f"/api/batches/{id}/run", json={"reason": reason}, headers=headers)


def test_a_list_is_frozen_and_nothing_is_done(client, installation, start, frozen, shown):
    ids = [start() for _ in range(3)]
    events = installation.events()
    answer = frozen(filter={"status": "running", "process": "greeting"}, dry_run=True)
    assert answer.status_code == 201, answer.text
    batch_id = answer.json()["batch_id"]
    assert answer.json() == {"batch_id": batch_id, "count": 3, "position": events + 2}
    assert installation.types(UUID(batch_id)) == ["BatchFrozen", "BatchExecutionsListed"]
    assert all(installation.executions.load(id).status == "running" for id in ids)
    found = shown(batch_id)
    assert {name: found[name] for name in FIELDS} == {
        "act": "cancel",
        "step": None,
        "status": "frozen",
        "count": 3,
        "done": 0,
        "refused": [],
        "frozen_by": "user:ann",
        "run_by": None,
    }
    assert found["filter"] == {"status": "running", "process": "greeting"}
    assert found["processes"] == ["greeting"]
    assert found["first_executions"] == [str(id) for id in reversed(ids)]
    assert found["list_as_of_position"] == events


def test_each_execution_of_the_list_is_cancelled_as_alone_and_later_ones_are_not(
    client, installation, held, frozen, ended
):
    ids = held(120)
    batch_id = frozen(filter={"process": ["held"]}).json()["batch_id"]
    (later,) = held(1)
    found = ended(batch_id)
    assert (found["done"], found["unchanged"], found["refused"]) == (120, 0, [])
    assert (found["run_by"], found["reason"]) == ("user:ann", "the supplier is down")
    for id in ids:
        event = installation.log.stream(id)[-1]
        assert type(event).__name__ == "ExecutionCancelled"
        assert (event.actor, event.causation) == ("user:ann", f"batch:{batch_id}")
        assert event.reason == "the supplier is down"
    assert installation.executions.load(later).status == "running"
    again = run(client, batch_id)
    assert (again.status_code, again.json()["duplicate"], again.json()["count"]) == (202, True, 120)


def test_executions_that_have_changed_are_refused_by_name_and_the_others_go_on(
    client, installation, start, frozen, ended
):
    completed, cancelled, running = start(), start(), start()
    batch_id = frozen(filter={"process": "greeting"}).json()["batch_id"]
    installation.answer(completed, "greet")
    installation.answer(completed, "check")
    assert client.post(f"/api/executions/{cancelled}/cancel").status_code == 200
    installation.take(running, "greet")
    found = ended(batch_id)
    assert (found["done"], found["unchanged"]) == (1, 1)
    assert found["refused"] == [{"code": "execution_ended", "count": 1}]
    assert found["refused_executions"] == [
        {
            "execution_id": str(completed),
            "code": "execution_ended",
            "message": "the execution is completed already",
        }
    ]
    assert installation.executions.load(running).status == "cancelled"


def test_failed_executions_are_retried(client, installation, failed, frozen, ended):
    client.put("/api/agents/breaker", json={"kind": "scripted", "script": "echo"})
    found = ended(frozen(act="retry", filter={"status": "failed", "failed_step": "work"}).json()["batch_id"])
    assert found["done"] == 3
    for id in failed:
        assert installation.types(id).count("ExecutionRetried") == 1


def test_a_step_of_each_is_skipped(client, installation, failed, frozen, ended):
    answer = frozen(act="skip", step="work", filter={"status": "failed"})
    assert ended(answer.json()["batch_id"])["done"] == 3
    for id in failed:
        (event,) = [each for each in installation.log.stream(id) if type(each).__name__ == "StepSkipped"]
        assert (event.step, event.comment, event.actor) == ("work", "the supplier is down", "user:ann")


def test_a_step_of_each_goes_to_another_agent(client, installation, failed, frozen, ended):
    answer = frozen(act="reassign", step="work", agent="writer", filter={"status": "failed"})
    assert ended(answer.json()["batch_id"])["done"] == 3
    for id in failed:
        assert installation.executions.load(id).steps["work"].agent == "writer"


def test_an_agent_that_nobody_has_registered_gets_nothing(client, failed, frozen):
    answer = frozen(act="reassign", step="work", agent="nobody", filter={"status": "failed"})
    assert (answer.status_code, answer.json()["code"]) == (409, "unknown_agent")


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


def test_a_list_is_as_fresh_as_requested(client, installation, held):
    held(2)
    installation.wait_seconds = 0.1
    body = {"act": "cancel", "filter": {"process": "held"}}
    with TestClient(installation.app) as impatient:
        path = f"/api/batches?min_position={installation.log.last_position()}"
        assert impatient.post(path, json=body).json()["code"] == "not_yet"
        installation.project()
        assert impatient.post(path, json=body).json()["count"] == 2


def test_a_repeated_request_gets_the_first_answer(client, installation, held, frozen):
    held(2)
    once = {**ANN, "Idempotency-Key": "once"}
    first = frozen(filter={"process": "held"}, headers=once)
    held(1)
    again = frozen(filter={"process": "held"}, headers=once)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_stopped_batch_leaves_the_rest_alone(client, installation, held, frozen, shown):
    ids = held(2)
    batch_id = frozen(filter={"process": "held"}).json()["batch_id"]
    assert run(client, batch_id).status_code == 202
    answer = client.post(f"/api/batches/{batch_id}/stop", json={"reason": "enough"}, headers={"X-Actor": "bo"})
    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    again = client.post(f"/api/batches/{batch_id}/stop", json={"reason": "enough"})
    assert again.json()["duplicate"] is True
    refused = run(client, batch_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_stopped")
    found = shown(batch_id)
    assert (found["status"], found["stopped_by"], found["stop_reason"]) == ("stopped", "user:bo", "enough")
    with installation.datastore.reading() as connection:
        assert connection.execute("select count(*) as n from running_batches").fetchone() == {"n": 0}
    assert [installation.executions.load(id).status for id in ids] == ["running", "running"]


def test_a_reason_is_required(client, held, frozen):
    held(1)
    batch_id = frozen(filter={"process": "held"}).json()["batch_id"]
    for body in ({}, {"reason": " "}):
        answer = client.post(f"/api/batches/{batch_id}/run", json=body)
        assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "reason")


@pytest.mark.parametrize("id", [str(uuid4()), "none"])
def test_a_batch_that_does_not_exist_is_not_found(shared_client, id):
    assert shared_client.get(f"/api/batches/{id}").status_code == 404
    assert run(shared_client, id).status_code == 404


def test_the_id_of_an_execution_is_no_batch(client, held):
    (id,) = held(1)
    assert run(client, id).status_code == 404


def test_batches_are_listed_the_newest_first(client, installation, held, frozen):
    held(1)
    ids = [frozen(filter={"process": "held"}).json()["batch_id"] for _ in range(3)]
    installation.project()
    page = client.get("/api/batches?limit=2").json()
    assert [each["batch_id"] for each in page["items"]] == [ids[2], ids[1]]
    page = client.get(f"/api/batches?limit=2&cursor={page['next_cursor']}").json()
    assert [each["batch_id"] for each in page["items"]] == [ids[0]]


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
    assert run(client, own["batch_id"], desk).status_code == 202
    assert installation.log.stream(UUID(own["batch_id"]))[-1].actor == "user:desk"


@pytest.mark.parametrize("scope", ["viewer", "designer", "approver", "agent:writer"])
def test_a_key_that_may_not_act_on_one_may_not_act_on_many(client, key, scope):
    shown = key(scope, name="other")
    body = {"act": "skip", "step": "work", "filter": {"status": "failed"}}
    answer = client.post("/api/batches", json=body, headers=shown)
    assert (answer.status_code, answer.json()["permission"]) == (403, "executions:write")
