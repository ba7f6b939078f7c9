"""Timers over HTTP: what is due when, moved and fired by operators, put off by agents, noticed when far overdue."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import AnswerStep
from domain.agents.calls import Accepted, callback_token
from domain.event import Cause

KEY = b"callback key of tests"
WHY = {"reason": "it cannot wait"}
HOUR = timedelta(hours=1)
PAUSE = """
name: pause
steps:
  - {id: pause, type: timer, duration: 1h}
  - {id: after, agent: echo, message: done, depends_on: pause}
"""
LATER = """
name: later
steps:
  - {id: a, agent: echo, message: hello, heartbeat: %s}
"""
SLOW = """
name: slow
steps:
  - {id: a, agent: sleepy, message: hello, timeout: 100ms, on_timeout: skip}
  - {id: b, agent: echo, message: "{{ steps.a.status }}", depends_on: a}
"""
ECHO = {"script": "echo"}


@pytest.fixture
def pausing(client: TestClient, installation: Any) -> UUID:
    """An execution that waits for an hour."""
    installation.publish(client, PAUSE, echo=ECHO)
    id: UUID = installation.begin(client, "pause")
    return id


def accepted(client: TestClient, installation: Any, heartbeat: str) -> UUID:
    """An execution whose agent said that it will answer later."""
    installation.publish(client, LATER % heartbeat, echo=ECHO)
    id: UUID = installation.begin(client, "later")
    installation.take(id, "a")
    installation.executions.answer(AnswerStep(id, "a", 1, Accepted()), Cause(datetime.now(UTC), "worker:test"))
    return id


def timer(id: UUID, command: str, kind: str = "timer", step: str = "pause") -> str:
    return f"/api/executions/{id}/timers/{step}/{kind}/{command}"


def beat(client: TestClient, id: UUID, attempt: int = 1) -> Any:
    body = {"attempt": attempt, "token": callback_token(KEY, id, "a", attempt)}
    return client.post(f"/api/executions/{id}/steps/a/heartbeat", json=body)


def test_timers_are_listed_with_what_they_are_for(client: TestClient, installation: Any, pausing: UUID) -> None:
    installation.project()
    (item,) = client.get("/api/timers").json()["items"]
    due_at = datetime.fromisoformat(item.pop("due_at"))
    assert due_at == installation.due_timers()["pause", "timer"]
    told = {name: item[name] for name in ("execution_id", "step", "kind", "overdue_seconds", "process")}
    assert told == {
        "execution_id": str(pausing),
        "step": "pause",
        "kind": "timer",
        "overdue_seconds": 0,
        "process": "pause",
    }
    assert client.get("/api/timers", params={"due": "overdue"}).json()["items"] == []
    assert client.get("/api/timers", params={"due": "soon"}).status_code == 400


def test_a_timer_fired_early_lets_the_execution_go_on_at_once(
    client: TestClient, installation: Any, pausing: UUID, worker: Any
) -> None:
    answer = client.post(timer(pausing, "fire"), json=WHY, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 200, answer.text
    assert answer.json().items() >= {"execution_id": str(pausing), "step": "pause", "kind": "timer"}.items()
    installation.until(lambda: installation.executions.load(pausing).status == "completed")
    assert installation.due_timers() == {}
    again = client.post(timer(pausing, "fire"), json=WHY, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()) == (200, answer.json())
    late = client.post(timer(pausing, "fire"), json=WHY)
    assert (late.status_code, late.json()["code"]) == (409, "execution_ended")
    assert installation.types(pausing).count("TimerFired") == 1


def test_a_timer_moved_is_due_at_the_other_time(client: TestClient, installation: Any, pausing: UUID) -> None:
    due_at = (datetime.now(UTC) + 24 * HOUR).replace(microsecond=0)
    body = {"due_at": due_at.isoformat(), **WHY}
    assert client.post(timer(pausing, "move"), json=body).status_code == 200
    assert installation.due_timers() == {("pause", "timer"): due_at}
    assert client.post(timer(pausing, "move"), json=body).json()["duplicate"] is True
    moved = client.post(timer(pausing, "move"), json={"due_at": "2020-01-01T00:00:00+02:00", **WHY})
    assert moved.status_code == 200
    assert installation.types(pausing)[-4:] == ["TimerMoved", "TimerFired", "StepCompleted", "StepScheduled"]
    assert installation.due_timers() == {}


def test_a_timer_moved_nearer_wakes_the_worker(
    client: TestClient, installation: Any, pausing: UUID, worker: Any
) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    assert client.post(timer(pausing, "move"), json={"due_at": soon.isoformat(), **WHY}).status_code == 200
    installation.until(lambda: installation.executions.load(pausing).status == "completed")
    fired = next(each for each in installation.log.stream(pausing) if type(each).__name__ == "TimerFired")
    assert fired.at >= soon


def test_what_cannot_be_done_to_a_timer_is_said(client: TestClient, installation: Any, pausing: UUID) -> None:
    events = installation.events()
    far = {"due_at": (datetime.now(UTC) + 9_000 * HOUR).isoformat(), **WHY}
    for path, body, status, code in (
        (timer(pausing, "move"), far, 409, "timer_too_far"),
        (timer(pausing, "fire", "retry"), WHY, 404, "no_such_timer"),
        (timer(pausing, "fire", "alarm"), WHY, 404, "not_found"),
        (timer(pausing, "fire", step="nowhere"), WHY, 404, "not_found"),
        (timer(UUID(int=1), "fire"), WHY, 404, "not_found"),
        (timer(pausing, "fire"), {}, 422, "malformed"),
        (timer(pausing, "move"), {"due_at": "tomorrow", **WHY}, 422, "malformed"),
        (timer(pausing, "move"), {"due_at": "2030-01-01T00:00:00", **WHY}, 422, "malformed"),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body)
    assert installation.events() == events


def test_timers_far_overdue_show_in_health(client: TestClient, installation: Any, pausing: UUID) -> None:
    assert client.get("/health/ready").json()["overdue_timers"]["count"] == 0
    for seconds, status in ((10, "ready"), (120, "degraded")):
        with installation.datastore.reading() as connection:
            connection.execute("update due_timers set due_at = now() - make_interval(secs => %s)", (seconds,))
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, status)
        overdue = ready.json()["overdue_timers"]
        assert overdue["count"] == 1
        assert seconds <= overdue["worst_seconds"] < seconds + 50
    (item,) = client.get("/api/timers", params={"due": "overdue"}).json()["items"]
    assert item["overdue_seconds"] >= 120


def test_a_sign_of_life_puts_the_heartbeat_off_and_is_not_recorded(client: TestClient, installation: Any) -> None:
    id = accepted(client, installation, "10m")
    before, events = installation.due_timers()["a", "heartbeat"], installation.events()
    answer = beat(client, id)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "execution_id": str(id),
            "step": "a",
            "attempt": 1,
            "duplicate": False,
            "position": installation.log.last_position(),
        },
    )
    assert installation.due_timers()["a", "heartbeat"] > before
    assert installation.events() == events


def test_a_sign_of_life_does_not_bring_nearer_what_an_operator_put_off(client: TestClient, installation: Any) -> None:
    id = accepted(client, installation, "10m")
    due_at = (datetime.now(UTC) + 24 * HOUR).replace(microsecond=0)
    body = {"due_at": due_at.isoformat(), **WHY}
    assert client.post(timer(id, "move", "heartbeat", "a"), json=body).status_code == 200
    assert beat(client, id).status_code == 200
    assert installation.due_timers() == {("a", "heartbeat"): due_at}


def test_only_the_agent_at_work_gives_signs_of_life(client: TestClient, installation: Any, problem_codes: Any) -> None:
    id = accepted(client, installation, "10m")
    before = installation.due_timers()
    stranger = client.post(f"/api/executions/{id}/steps/a/heartbeat", json={"attempt": 1, "token": "x"})
    assert (stranger.status_code, problem_codes(stranger)) == (403, ["token_invalid"])
    other = beat(client, id, attempt=2)
    assert (other.status_code, problem_codes(other)) == (409, ["step_not_running"])
    assert installation.due_timers() == before
    assert client.post(f"/api/executions/{id}/cancel", json={}).status_code == 200
    assert beat(client, id).status_code == 409
    assert installation.due_timers() == {}


def test_an_agent_lives_as_long_as_it_shows_it(client: TestClient, installation: Any, worker: Any) -> None:
    id = accepted(client, installation, "4s")
    shown_until, pause = time.monotonic() + 5, threading.Event()
    while time.monotonic() < shown_until:
        assert beat(client, id).status_code == 200
        pause.wait(0.2)
    assert installation.executions.load(id).status == "running"
    installation.until(lambda: installation.executions.load(id).status == "failed")
    assert installation.types(id)[-3:] == ["StepHeartbeatMissed", "StepFailed", "ExecutionFailed"]
    assert beat(client, id).status_code == 409


def test_an_answer_after_the_timeout_changes_nothing_but_what_it_cost(
    client: TestClient, installation: Any, worker: Any
) -> None:
    installation.publish(client, SLOW, sleepy={"script": "slow", "delay": "60s"}, echo=ECHO)
    id = installation.begin(client, "slow")
    installation.until(lambda: installation.executions.load(id).status == "completed")
    body = {
        "attempt": 1,
        "token": callback_token(KEY, id, "a", 1),
        "output": "here I am",
        "usage": {"input_tokens": 7, "output_tokens": 2},
        "cost": {"amount": "0.0049", "currency": "USD"},
    }
    late = client.post(f"/api/executions/{id}/steps/a/complete", json=body)
    assert (late.status_code, late.json()["duplicate"]) == (200, True)
    assert installation.types(id)[-2:] == ["StepAnswerIgnored", "CostRecorded"]
    state = installation.executions.load(id)
    assert (state.status, state.steps["a"].status, state.steps["a"].output) == ("completed", "skipped", None)
    events = installation.events()
    again = client.post(f"/api/executions/{id}/steps/a/complete", json=body)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert installation.events() == events
    installation.project()
    own = client.get(f"/api/executions/{id}").json()["cost"]["own"]
    assert own == [{"amount": "0.0049", "currency": "USD"}]
