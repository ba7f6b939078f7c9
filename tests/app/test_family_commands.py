"""`procession executions` and `show` on executions that start others."""

from collections.abc import Callable
from typing import Any

import pytest

from app.wiring import Wiring

Run = Callable[..., Any]
CALLING = """
name: calling
steps:
  - {id: make, agent: echo, message: made, compensation: {agent: echo, message: unmade}}
  - {id: call, type: sub_process, process: hello, input_mapping: {who: "{{ steps.make.output }}"}, depends_on: make}
  - {id: spoil, agent: broken, message: no, depends_on: call}
"""


@pytest.fixture
def called(document: Run, failing: Any, publish: Callable[[str, str], None], working: Wiring) -> tuple[str, str]:
    """The ids of an execution that failed and was undone, and of the one that it called."""
    publish("calling", CALLING)
    id = document("start", "calling", "--wait", "--timeout", "120s", code=1)["execution_id"]
    for name in ("execution_list", "execution_detail"):
        assert working.progress.reached(name, working.log.last_position(), 60)
    [child] = document("show", id)["steps"][1]["children"]
    return id, child["execution_id"]


def test_children_are_listed_when_asked_for(document: Run, procession: Run, called: tuple[str, str]) -> None:
    id, child = called

    def listed(*options: str) -> list[str]:
        return [item["execution_id"] for item in document("executions", *options)["items"]]

    assert listed() == [id]
    assert listed("--include-children") == listed("--root", id) == [child, id]
    assert listed("--parent", id) == listed("--trigger", "sub_process") == [child]
    assert listed("--status", "queued", "--status", "compensating") == []
    assert listed("--include-children", "--order", "oldest") == [id, child]
    assert listed("--include-children", "--order", "ended") == [id, child]
    assert listed("--ended-from", "2000-01-01T00:00:00Z", "--order", "longest") == [id]
    assert listed("--ended-to", "2000-01-01T00:00:00Z") == listed("--label", "nothing") == []
    assert procession("executions", "--order", "sideways").exit_code == 2
    assert "parent" not in procession("executions").stdout
    assert "parent" in procession("executions", "--root", id).stdout
    assert procession("executions", "--status", "asleep").exit_code == 2
    assert document("executions", "--parent", "nobody", code=1)["error"]["code"] == "not_found"


def test_an_execution_is_shown_with_those_it_called_and_what_was_undone(
    document: Run, procession: Run, called: tuple[str, str]
) -> None:
    id, child = called
    said = procession("show", id).stdout
    assert f"child: attempt 1 of call called {child}  hello, version 1: completed" in said
    assert "compensation: of make completed" in said
    assert "make.compensation" in said
    assert "cause: attempt 1 of spoil" in said
    assert document("show", id)["cause"]["step"] == "spoil"
    assert f"below {id}  calling, step call" in procession("show", child).stdout
    assert document("show", child)["input"]["who"] == "made"


def test_a_run_is_shown_as_a_tree(document: Run, procession: Run, called: tuple[str, str]) -> None:
    id, child = called
    lines = [line for line in procession("show", child, "--tree").stdout.splitlines() if id in line or child in line]
    assert [line.split()[:2] for line in lines] == [[id, "calling"], [child, "hello"]]
    assert "(this one)" in lines[1]
    assert "  hello" in lines[1]
    items = document("show", child, "--tree", "--status", "completed")["items"]
    assert [each["execution_id"] for each in items] == [child]
    for wrong in (("--tree", "--events"), ("--tree", "--as-of", "1"), ("--status", "failed")):
        assert procession("show", id, *wrong).exit_code == 2
