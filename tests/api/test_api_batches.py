"""Acts on many over HTTP: the list is frozen, then run by its id, and each execution is acted on as alone."""

from uuid import UUID

import pytest

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


@pytest.mark.parametrize("id", ["0192f0c1-0000-7000-8000-00000000abcd", "none"])
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
