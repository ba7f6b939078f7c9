"""Executions that others started, over HTTP: listed when asked for, and shown where they come from."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.event import Event
from domain.executions.events.child import Parent, SubProcessStarted
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionQueued, ExecutionStarted, Trigger
from domain.executions.events.step import StepScheduled
from domain.identity import child_id, process_id
from domain.money import parse_money
from store.unit import Unit
from tests.queries.shown import at

CHILD = """
name: child
input:
  text: {type: string, required: true}
steps:
  - {id: work, agent: writer, message: "{{ input.text }}"}
outputs:
  said: "{{ steps.work.output }}"
"""
PARENT = """
name: parent
steps:
  - {id: call, type: sub_process, process: child, input_mapping: {text: "hello"}, output_key: answer}
outputs:
  said: "{{ steps.call.output.answer.said }}"
"""

CALLED = ("execution_id", "attempt", "process", "version", "status")


class Family:
    """A root that runs, what it started, what that started, and an execution that is nobody's child."""

    def __init__(self, installation: Any, root: UUID, other: UUID) -> None:
        self.log, self.root, self.other = installation.log, root, other
        self.versions = {root: installation.executions.load(root).version}
        self.child = self.call([root], "greet")
        self.below = self.call([root, self.child], "check")
        self.tell(self.below, ExecutionQueued, process_id=process_id("child"))

    def tell(self, stream: UUID, kind: type[Event], **facts: Any) -> None:
        """Record an event."""
        version = self.versions.get(stream, 0)
        self.log.append(Unit(stream, version, [kind(at=at(version).at, actor="worker:w", **facts)]))
        self.versions[stream] = version + 1

    def call(self, path: list[UUID], step: str) -> UUID:
        """A step of the last execution of `path` starts another."""
        id = child_id(path[-1], step, 1)
        called: dict[str, Any] = {"process_id": process_id("child"), "process": "child", "version": 1, "input": {}}
        place: dict[str, Any] = {"step": step, "attempt": 1, "root": path[0], "depth": len(path), "path": path}
        self.tell(path[-1], SubProcessStarted, child=id, **place, **called)
        parent = Parent(path[-1], **place)
        self.tell(id, ExecutionStarted, steps=1, trigger=Trigger("sub_process", step), parent=parent, **called)
        return id


@pytest.fixture
def family(installation: Any, start: Callable[..., UUID]) -> Family:
    made = Family(installation, start(), start())
    installation.project()
    return made


@pytest.fixture
def listed(client: TestClient) -> Callable[..., list[UUID]]:
    """The ids that the list gives, in its order."""

    def ask(**filters: Any) -> list[UUID]:
        answer = client.get("/api/executions", params=filters)
        assert answer.status_code == 200, answer.text
        return [UUID(item["execution_id"]) for item in answer.json()["items"]]

    return ask


def test_the_list_is_of_roots_unless_children_are_asked_for(family: Family, listed: Callable[..., list[UUID]]) -> None:
    everything = [family.below, family.child, family.other, family.root]
    assert listed() == [family.other, family.root]
    assert listed(include_children="false") == [family.other, family.root]
    assert listed(include_children="true") == everything
    assert listed(parent=family.root) == [family.child]
    assert listed(parent=f"{family.root},{family.child}") == [family.below, family.child]
    assert listed(root=family.root) == [family.below, family.child, family.root]
    assert listed(root=f"{family.root},{family.other}") == everything
    assert listed(root=family.child) == [family.child]
    assert listed(trigger="sub_process") == [family.below, family.child]
    assert listed(trigger="sub_process,manual") == everything
    assert listed(status="queued") == []
    assert listed(status="queued,compensating", include_children="true") == [family.below]
    assert listed(parent=family.root, root=family.other) == []


def test_pages_go_on_below_a_root(client: TestClient, family: Family) -> None:
    first = client.get("/api/executions", params={"root": str(family.root), "limit": 2}).json()
    rest = client.get("/api/executions", params={"root": str(family.root), "cursor": first["next_cursor"]}).json()
    found = [(item["execution_id"], item["parent_id"], item["depth"]) for item in [*first["items"], *rest["items"]]]
    assert found == [
        (str(family.below), str(family.child), 2),
        (str(family.child), str(family.root), 1),
        (str(family.root), None, 0),
    ]
    assert {item["root_id"] for item in [*first["items"], *rest["items"]]} == {str(family.root)}


@pytest.mark.parametrize("query", ["parent=greeting", "root=1", "include_children=perhaps", "status=waiting"])
def test_what_is_no_such_filter_is_refused(shared_client: TestClient, query: str, problem_codes: Any) -> None:
    answer = shared_client.get(f"/api/executions?{query}")
    assert (answer.status_code, problem_codes(answer)[0]) == (400, "invalid_filter")


def test_the_detail_shows_the_family_now_and_as_it_was(client: TestClient, installation: Any, family: Family) -> None:
    family.tell(family.below, StepScheduled, step="work", attempt=1, agent="writer", message="")
    before = installation.log.last_position()
    cost = parse_money("0.25", "USD")
    family.tell(family.below, CostRecorded, step="work", attempt=1, agent="writer", cost=cost)
    after = installation.project()
    priced = [{"amount": "0.25", "currency": "USD"}]
    root = client.get(f"/api/executions/{family.root}").json()
    assert (root["parent"], root["root"], root["depth"], root["path"]) == (None, str(family.root), 0, [])
    ((called, more),) = [({name: child.pop(name) for name in CALLED}, child) for child in root["steps"][0]["children"]]
    assert called == {
        "execution_id": str(family.child), "attempt": 1, "process": "child", "version": 1, "status": "running"
    }  # fmt: skip
    assert (more["ended_at"], more["duration"], more["cost"]) == (None, None, [])
    assert root["cost"] == {"own": [], "with_children": priced, "unpriced": 0}
    below = client.get(f"/api/executions/{family.below}").json()
    assert below["status"] == "queued"
    assert below["parent"] == {
        "execution_id": str(family.child),
        "step": "check",
        "attempt": 1,
        "item": None,
        "key": None,
        "round": None,
    }
    assert (below["root"], below["depth"]) == (str(family.root), 2)
    once = {"body": None, "item": None, "key": None, "round": None}
    assert below["path"] == [
        {"execution_id": str(family.root), "process": "greeting", "step": "greet", **once},
        {"execution_id": str(family.child), "process": "child", "step": "check", **once},
    ]
    then = client.get(f"/api/executions/{family.root}", params={"as_of": before}).json()
    assert then["cost"]["with_children"] == []
    assert then["steps"][0]["children"] == [called | more]
    points = {"from": before, "to": after}
    told = client.get(f"/api/executions/{family.root}/diff", params=points).json()
    assert told["changed"] == {"cost_with_children": {"before": [], "after": priced}}


def test_a_process_that_calls_another_is_run_by_a_worker(
    client: TestClient, installation: Any, greeting: str, worker: Any
) -> None:
    installation.publish(client, CHILD)
    installation.publish(client, PARENT)
    id = installation.begin(client, "parent")
    installation.until(lambda: installation.executions.load(id).status == "completed")
    installation.project()
    seen = client.get(f"/api/executions/{id}").json()
    [call] = seen["steps"]
    [child] = call["children"]
    assert seen["outputs"] == {"said": call["output"]["answer"]["said"]}
    assert (call["type"], call["agent"], call["attempts"]) == ("sub_process", None, 1)
    assert call["input"] == {"message": {"text": "hello"}, "parameters": {}}
    assert {name: child[name] for name in CALLED} == {
        "execution_id": child["execution_id"], "attempt": 1, "process": "child", "version": 1, "status": "completed"
    }  # fmt: skip
    assert child["duration"] > 0
    below = client.get(f"/api/executions/{child['execution_id']}").json()
    assert below["input"] == {"text": "hello"}
    assert below["outputs"] == call["output"]["answer"]
