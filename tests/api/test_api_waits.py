"""What executions wait for, over HTTP: in the list, in detail, and as a filter of the list."""

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError

MIXED = """
name: mixed
steps:
  - {id: pause, type: timer, duration: 1h, timeout: 2h}
  - {id: sign, type: human_approval}
  - {id: sign_soon, type: human_approval, deadline: 1h}
  - {id: call, type: sub_process, process: paused}
  - {id: write, agent: echo, message: hello, timeout: 1h}
  - {id: again, agent: echo, message: hello, retry: {max_attempts: 2, delay: 1h}}
  - {id: after, agent: echo, message: later, depends_on: write}
"""
NARROW = """
name: narrow
max_running: 1
steps:
  - {id: pause, type: timer, duration: 1h}
"""
PAUSED = NARROW.replace("narrow", "paused").replace("max_running: 1\n", "")
WIDE = (
    "name: wide\nsteps:\n"
    + "".join(f"  - {{id: s{n}, agent: echo, message: x}}\n" for n in range(40))
    + ("  - {id: zz, type: human_approval}\n")
)


NEAREST = (("process 'mixd'", "mixed"), ("agent 'ecko'", "echo"))


@pytest.fixture
def waiting(client: TestClient, installation: Any) -> dict[str, UUID]:
    """Executions that wait: for everything, for a slot, for a timer, and for more than the list shows."""
    for source in (PAUSED, NARROW, MIXED, WIDE):
        installation.publish(client, source, echo={"script": "echo"})
    names = ("paused", "narrow", "mixed", "wide")
    timer, slot, mixed, wide = (installation.begin(client, name) for name in names)
    installation.answer(mixed, "again", Failed(StepError("agent_error", "no")))
    installation.take(mixed, "write")
    installation.project()
    return {"timer": timer, "slot": slot, "mixed": mixed, "wide": wide}


def test_the_list_and_the_detail_say_what_an_execution_waits_for(client: TestClient, waiting: dict[str, UUID]) -> None:
    listed = {item["execution_id"]: item for item in client.get("/api/executions").json()["items"]}
    shown = {name: client.get(f"/api/executions/{id}").json() for name, id in waiting.items()}
    mixed = shown["mixed"]["waiting_for"]
    due = {step["id"]: step["due_at"] for step in shown["mixed"]["steps"]}
    assert mixed == [
        {"kind": "approval", "step": "sign"},
        {"kind": "approval", "step": "sign_soon", "until": due["sign_soon"]},
        {"kind": "timer", "step": "pause", "until": due["pause"]},
        {"kind": "child", "step": "call"},
        {"kind": "retry", "step": "again", "until": due["again"]},
        {"kind": "agent", "step": "write"},
    ]
    assert shown["slot"]["waiting_for"] == [{"kind": "slot", "step": None}]
    for name, id in waiting.items():
        item = listed[str(id)]
        assert item["waiting_for"] == shown[name]["waiting_for"][:20]
        assert item["waiting_count"] == len(shown[name]["waiting_for"])
    wide = listed[str(waiting["wide"])]
    assert (wide["waiting_for"][0], wide["waiting_count"]) == ({"kind": "approval", "step": "zz"}, 41)


def test_executions_are_found_by_what_they_wait_for(client: TestClient, waiting: dict[str, UUID]) -> None:
    names = {str(id): name for name, id in waiting.items()}

    def found(kinds: str, **filters: Any) -> set[str]:
        items = client.get("/api/executions", params={"waiting_for": kinds, **filters}).json()["items"]
        return {names[item["execution_id"]] for item in items}

    assert found("approval") == {"mixed", "wide"}
    assert found("timer") == {"mixed", "timer"}
    assert found("child") == found("retry") == {"mixed"}
    assert found("slot") == {"slot"}
    assert found("slot,timer") == {"slot", "timer", "mixed"}
    assert found("agent", process="wide") == {"wide"}
    assert found("approval", status="queued") == set()
    refused = client.get("/api/executions", params={"waiting_for": "approvals"})
    assert (refused.status_code, refused.json()["problems"][0]["path"]) == (400, "waiting_for")


def test_an_execution_that_has_ended_waits_for_nothing(
    client: TestClient, installation: Any, waiting: dict[str, UUID]
) -> None:
    for id in waiting.values():
        assert client.post(f"/api/executions/{id}/cancel", json={"reason": "enough"}).status_code == 200
    installation.project()
    assert {(len(i["waiting_for"]), i["waiting_count"]) for i in client.get("/api/executions").json()["items"]} == {
        (0, 0)
    }
    with installation.datastore.reading() as connection:
        assert connection.execute("select * from execution_list_waits").fetchall() == []


def test_a_name_that_does_not_exist_is_told_with_the_nearest(client: TestClient, waiting: dict[str, UUID]) -> None:
    def told(method: str, path: str, **body: str) -> tuple[int, str]:
        answer = client.request(method, f"/api/{path}", json=body or None)
        return answer.status_code, answer.json()["detail"]

    process, agent = (f"there is no {noun}; did you mean `{near}`?" for noun, near in NEAREST)
    assert told("GET", "processes/mixd") == (404, process)
    assert told("POST", "processes/mixd/archive") == (404, process)
    assert told("GET", "agents/ecko") == (404, agent)
    step = f"executions/{waiting['mixed']}/steps"
    assert told("POST", f"{step}/write/reassign", agent="ecko", reason="x") == (409, agent)
    no_step = (404, "the process has no step 'wrte'; did you mean `write`?")
    assert told("POST", f"{step}/wrte/skip", reason="x") == no_step
    assert client.get("/api/executions", params={"process": "mixd"}).json()["items"] == []
