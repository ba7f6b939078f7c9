"""`procession retry`, `timers`, and what `show` tells of attempts, timers and branches."""

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
ROUTES = """
name: routes
steps:
  - id: choose
    type: gateway
    gateway_type: exclusive
    routes:
      - {target: pause, condition: "1 < 2"}
    default_route: other
  - {id: pause, type: timer, duration: 1h}
  - {id: other, agent: echo, message: no}
"""


@pytest.fixture
def publish(hello: Path, procession: Run) -> Callable[[str, str], None]:
    """Publish a process given as text."""

    def publishing(name: str, source: str) -> None:
        file = hello.with_name(f"{name}.yaml")
        file.write_text(source)
        result = procession("publish", str(file))
        assert result.exit_code == 0, result.output

    return publishing


def test_a_failed_execution_is_retried_and_ends_well(
    document: Run, procession: Run, publish: Run, working: Wiring
) -> None:
    settings = ("--set", "script=flaky", "--set", "failures=1")
    assert procession("agents", "register", "unsteady", "--kind", "scripted", *settings).exit_code == 0
    publish("busy", BUSY)
    id = document("start", "busy", "--wait", "--timeout", "20s", code=1)["execution_id"]
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


def test_timers_are_listed_and_shown_with_the_branch_that_led_to_them(
    document: Run, procession: Run, publish: Run, working: Wiring
) -> None:
    publish("routes", ROUTES)
    started = document("start", "routes")
    id = started["execution_id"]
    for name in ("execution_list", "execution_detail"):
        _until(working, name, started["position"])
    (timer,) = document("timers")["items"]
    assert (timer["execution_id"], timer["step"], timer["kind"], timer["process"]) == (id, "pause", "timer", "routes")
    assert document("timers", "--overdue")["items"] == []
    assert "pause" in procession("timers").stdout
    told = procession("show", id).stdout
    assert "branch: choose leads to pause" in told
    assert "timer: timer of pause is due at" in told


def _until(wiring: Wiring, name: str, position: int) -> None:
    wiring.progress.start()
    try:
        assert wiring.progress.reached(name, position, 10)
    finally:
        wiring.progress.stop()


def _ended(wiring: Wiring, id: str) -> None:
    ended = wait_for_end(wiring.log, UUID(id), 20, lambda *_: None)
    assert ended is not None
    _until(wiring, "execution_detail", ended.position)
