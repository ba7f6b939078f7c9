"""`procession timers`, `fire-timer`, `move-timer`, and what `show` tells of timers and branches."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.waiting import wait_for_end
from app.wiring import Wiring

Run = Callable[..., Any]

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
WHY = ("--reason", "in a hurry")


@pytest.fixture
def paused(document: Run, publish: Run) -> dict[str, Any]:
    """What starting an execution answered that waits at its step `pause` for an hour."""
    publish("routes", ROUTES)
    started: dict[str, Any] = document("start", "routes")
    return started


def test_timers_are_listed_and_shown_with_the_branch_that_led_to_them(
    document: Run, procession: Run, paused: dict[str, Any], working: Wiring
) -> None:
    id = paused["execution_id"]
    for name in ("execution_list", "execution_detail"):
        reached(working, name, paused["position"])
    (timer,) = document("timers")["items"]
    assert (timer["execution_id"], timer["step"], timer["kind"], timer["process"]) == (id, "pause", "timer", "routes")
    assert document("timers", "--overdue")["items"] == []
    assert "pause" in procession("timers").stdout
    told = procession("show", id).stdout
    assert "branch: choose leads to pause" in told
    assert "timer: timer of pause is due at" in told


def test_a_timer_is_fired_early(document: Run, procession: Run, paused: dict[str, Any], working: Wiring) -> None:
    id = paused["execution_id"]
    would = document("fire-timer", id, "pause", *WHY, "--dry-run")["would_record"]
    assert [event["type"] for event in would][:2] == ["TimerMoved", "TimerFired"]
    fired = document("fire-timer", id, "pause", "timer", *WHY)
    assert [fired[name] for name in ("execution_id", "step", "kind", "new")] == [id, "pause", "timer", True]
    ended = wait_for_end(working.log, UUID(id), 60, lambda *_: None)
    assert ended is not None
    assert ended.status == "completed"
    assert document("fire-timer", id, "pause", *WHY, code=1)["error"]["code"] == "execution_ended"


def test_a_timer_is_moved_to_a_time_or_by_a_while(document: Run, procession: Run, paused: dict[str, Any]) -> None:
    id = paused["execution_id"]
    moved = document("move-timer", id, "pause", "--to", "2026-12-01T10:00+02:00", *WHY, "--dry-run")
    assert moved["due_at"] == "2026-12-01T08:00:00Z"
    sooner = document("move-timer", id, "pause", "--in", "5m", *WHY)
    later = document("move-timer", id, "pause", "--in", "1d", *WHY)
    apart = datetime.fromisoformat(later["due_at"]) - datetime.fromisoformat(sooner["due_at"])
    assert timedelta(hours=23, minutes=55) <= apart < timedelta(days=1)
    assert document("move-timer", id, "pause", "--to", later["due_at"], *WHY)["new"] is False
    assert document("move-timer", id, "pause", "--in", "366d", *WHY, code=1)["error"]["code"] == "timer_too_far"
    told = procession("move-timer", id, "pause", "--to", "2020-01-01T00:00Z", *WHY)
    assert told.stdout == f"timer of pause of {id}: fired\n"
    assert "no worker is running" in told.stderr or "ExecutionCompleted" in procession("show", id, "--events").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--in", "5m", "--to", "2026-01-01T00:00Z"), "give one of the two"),
        ((), "give one of the two"),
        (("--in", "soon"), "a duration is written like"),
        (("--in", "-5m"), "a duration is"),
        (("--to", "2026-01-01T00:00"), "with an offset"),
        (("--to", "tomorrow"), "with an offset"),
        (("timeot", "--in", "5m"), "did you mean `timeout`?"),
        (("--in", "5m", "--reason", " "), "says why"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_opened(
    procession: Run, arguments: tuple[str, ...], told: str
) -> None:
    result = procession("move-timer", str(UUID(int=1)), "pause", *WHY, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_step_may_have_no_such_timer(document: Run, paused: dict[str, Any]) -> None:
    id = paused["execution_id"]
    assert document("fire-timer", id, "pause", "retry", *WHY, code=1)["error"]["code"] == "no_such_timer"
    assert document("fire-timer", id, "nowhere", *WHY, code=1)["error"]["code"] == "not_found"


def reached(wiring: Wiring, name: str, position: int) -> None:
    wiring.progress.start()
    try:
        assert wiring.progress.reached(name, position, 60)
    finally:
        wiring.progress.stop()
