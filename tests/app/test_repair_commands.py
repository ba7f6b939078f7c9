"""`procession retry`, `skip`, `reassign`, `cancel`, and what `show` tells of attempts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.waiting import wait_for_end
from app.wiring import Wiring

Run = Callable[..., Any]

BUSY = """
name: busy
steps:
  - {id: call, agent: unsteady, message: hello}
outputs: {said: "{{ steps.call.output }}"}
"""
PAUSED = """
name: paused
steps:
  - {id: pause, type: timer, duration: 1h}
  - {id: say, agent: echo, message: well, depends_on: pause}
"""


def test_a_failed_execution_is_retried_and_ends_well(
    document: Run, procession: Run, publish: Run, working: Wiring
) -> None:
    settings = ("--set", "script=flaky", "--set", "failures=1")
    assert procession("agents", "register", "unsteady", "--kind", "scripted", *settings).exit_code == 0
    publish("busy", BUSY)
    id = document("start", "busy", "--wait", "--timeout", "120s", code=1)["execution_id"]
    retried = document("retry", id, "--reason", "the line is free")
    assert (retried["execution_id"], retried["new"]) == (id, True)
    _until(working, "execution_list", retried["position"])
    _ended(working, id)
    again = document("retry", id, "--reason", "once more", code=1)
    assert again["error"]["code"] == "execution_not_failed"
    shown = document("show", id)
    assert (shown["status"], [step["attempts"] for step in shown["steps"]]) == ("completed", [2])


def test_one_step_is_retried_at_once(document: Run, procession: Run, hello: Path) -> None:
    id = document("start", "hello")["execution_id"]
    due = document("retry", id, "--step", "greet", "--reason", "in a hurry")
    assert (due["step"], due["new"]) == ("greet", False)
    assert document("retry", id, "--step", "nowhere", "--reason", "x", code=1)["error"]["code"] == "not_found"
    told = procession("retry", id, "--step", "greet", "--reason", "in a hurry")
    assert ("an attempt is due already" in told.stdout, "no worker is running" in told.stderr) == (True, True)
    assert procession("retry", id).exit_code == 2
    assert procession("retry", id, "--reason", " ").exit_code == 2


def test_a_step_is_skipped_and_the_execution_goes_on(
    document: Run, procession: Run, publish: Run, wiring: Wiring
) -> None:
    publish("paused", PAUSED)
    id = document("start", "paused")["execution_id"]
    before = wiring.log.last_position()
    would = document("skip", id, "pause", "--reason", "now", "--dry-run")
    assert [event["type"] for event in would["would_record"]] == [
        "TimerCancelled",
        "StepCancelled",
        "StepSkipped",
        "StepScheduled",
    ]
    assert would["would_record"][2] == {
        "stream": id,
        "type": "StepSkipped",
        "data": {"step": "pause", "reason": "operator", "comment": "now"},
    }
    assert "StepSkipped" in procession("skip", id, "pause", "--reason", "now", "--dry-run").stdout
    assert wiring.log.last_position() == before
    skipped = document("skip", id, "pause", "--reason", "now")
    assert (skipped["execution_id"], skipped["step"], skipped["new"]) == (id, "pause", True)
    assert skipped["position"] == before + 4
    assert document("skip", id, "pause", "--reason", "again", code=1)["error"]["code"] == "step_ended"
    assert document("skip", id, "nowhere", "--reason", "x", "--dry-run", code=1)["error"]["code"] == "not_found"


def test_a_step_is_given_to_another_agent(document: Run, procession: Run, hello: Path, working: Wiring) -> None:
    settings = ("--set", "script=fail")
    assert procession("agents", "register", "unsteady", "--kind", "scripted", *settings).exit_code == 0
    hello.write_text(BUSY)
    assert procession("publish", str(hello)).exit_code == 0
    id = document("start", "busy", "--wait", "--timeout", "120s", code=1)["execution_id"]
    assert document("reassign", id, "call", "nobody", "--reason", "x", code=1)["error"]["code"] == "unknown_agent"
    reassigned = document("reassign", id, "call", "echo", "--reason", "it can")
    assert [reassigned[name] for name in ("step", "agent", "new")] == ["call", "echo", True]
    _ended(working, id)
    assert [step["agent"] for step in document("show", id)["steps"]] == ["echo"]


def test_who_has_a_step_already_is_not_given_it_again(document: Run, procession: Run, hello: Path) -> None:
    id = document("start", "hello")["execution_id"]
    assert document("reassign", id, "greet", "echo", "--reason", "x")["new"] is False
    assert document("reassign", id, "greet", "echo", "--reason", "x", "--dry-run")["would_record"] == []
    told = procession("reassign", id, "greet", "echo", "--reason", "x", "--dry-run").stdout
    assert told == f"step greet of {id}: is echo's already; nothing would be recorded\n"


def test_an_execution_is_cancelled_once(document: Run, procession: Run, publish: Run) -> None:
    publish("paused", PAUSED)
    id = document("start", "paused")["execution_id"]
    would = document("cancel", id, "--reason", "a mistake", "--dry-run")["would_record"]
    assert [event["type"] for event in would][-1] == "ExecutionCancelled"
    assert document("cancel", id, "--reason", "a mistake")["new"] is True
    assert procession("cancel", id, "--reason", "a mistake").stdout == f"execution {id}: cancelled already\n"
    assert document("retry", id, "--reason", "x", "--dry-run", code=1)["error"]["code"] == "execution_not_failed"
    assert document("cancel", "this", "--reason", "x", code=1)["error"]["code"] == "not_found"


@pytest.mark.parametrize("command", [("retry",), ("skip", "s"), ("reassign", "s", "a"), ("cancel",)])
@pytest.mark.parametrize("reason", [(), ("--reason", " "), ("--reason", "x" * 2_001), ("--reason", "\udcff")])
def test_every_repair_says_why(procession: Run, command: tuple[str, ...], reason: tuple[str, ...]) -> None:
    assert procession(command[0], str(UUID(int=1)), *command[1:], *reason).exit_code == 2


def test_what_is_named_in_a_command_is_text(procession: Run) -> None:
    for command in (("skip", "\udcff"), ("reassign", "s", "\udcff"), ("retry", "--step", "\udcff")):
        result = procession(command[0], str(UUID(int=1)), *command[1:], "--reason", "why")
        assert (result.exit_code, "is not text in UTF-8" in result.stderr) == (2, True)


def _until(wiring: Wiring, name: str, position: int) -> None:
    wiring.progress.start()
    try:
        assert wiring.progress.reached(name, position, 60)
    finally:
        wiring.progress.stop()


def _ended(wiring: Wiring, id: str) -> None:
    ended = wait_for_end(wiring.log, UUID(id), 60, lambda *_: None)
    assert ended is not None
    _until(wiring, "execution_detail", ended.position)
