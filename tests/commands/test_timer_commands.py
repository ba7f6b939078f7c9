"""Operators move and fire timers, and agents put their heartbeats off."""

from datetime import timedelta
from uuid import UUID

import pytest

from commands.executions import CancelExecution
from commands.timers import FireTimer, MoveTimer, RecordHeartbeat
from domain.executions.decisions.refusals import ExecutionEndedAlready, NoSuchTimer, StepNotRunning, TimerTooFar
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepAccepted, StepScheduled, StepStarted
from domain.executions.events.timer import TimerMoved, TimerStarted
from domain.identity import new_id
from domain.refusal import NotFound
from tests.commands.scenario import BOB, HOUR, NOW, Scenario, fact

PAUSE = "name: pause\nsteps:\n  - {id: pause, type: timer, duration: 1h}\n"
LATER = "name: later\nsteps:\n  - {id: a, agent: echo, message: hello, heartbeat: 10m}\n"
WHY = "it cannot wait"
TIMER = {"step": "pause", "kind": "timer"}
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def pausing(scenario: Scenario) -> UUID:
    """An execution that waits for an hour."""
    return waiting(scenario, PAUSE, fact(TimerStarted, step="pause", attempt=1, due_at=NOW + HOUR))


@pytest.fixture
def accepted(scenario: Scenario) -> UUID:
    """An execution whose agent accepted the attempt and answers later."""
    return waiting(
        scenario,
        LATER,
        fact(StepScheduled, step="a", attempt=1, agent="echo", message="hello"),
        fact(StepStarted, step="a", attempt=1),
        fact(StepAccepted, step="a", attempt=1),
    )


def waiting(
    scenario: Scenario, source: str, *events: TimerStarted | StepScheduled | StepStarted | StepAccepted
) -> UUID:
    process = scenario.given_process(source)
    started = fact(ExecutionStarted, process_id=process, process=source[6:11], version=1, input={}, steps=1)
    scenario.given(id := new_id(), started, *events)
    return id


def test_a_timer_fired_early_lets_the_execution_continue(scenario: Scenario, pausing: UUID) -> None:
    recorded = scenario.when(scenario.timers.fire, FireTimer(pausing, "pause", "timer", WHY))
    recorded.then("TimerMoved(pause)", "TimerFired(pause)", "StepCompleted(pause)", "ExecutionCompleted")
    assert recorded.events[0] == fact(TimerMoved, due_at=NOW, reason=WHY, **TIMER)
    assert scenario.list_of("due_timers", "step") == []
    scenario.when(scenario.timers.fire, FireTimer(pausing, "pause", "timer", WHY)).then(ExecutionEndedAlready)


def test_a_timer_moved_is_due_at_the_other_time(scenario: Scenario, pausing: UUID) -> None:
    tomorrow = NOW + 24 * HOUR
    command = MoveTimer(pausing, "pause", "timer", tomorrow, WHY)
    scenario.when(scenario.timers.move, command).then(fact(TimerMoved, due_at=tomorrow, reason=WHY, **TIMER))
    assert scenario.list_of("due_timers", "step", "kind", "due_at") == [("pause", "timer", tomorrow)]
    scenario.when(scenario.timers.move, command, BOB).then_nothing()


def test_a_timer_moved_into_the_past_fires(scenario: Scenario, pausing: UUID) -> None:
    command = MoveTimer(pausing, "pause", "timer", NOW - HOUR, WHY)
    recorded = scenario.when(scenario.timers.move, command)
    recorded.then("TimerMoved(pause)", "TimerFired(pause)", "StepCompleted(pause)", "ExecutionCompleted")


def test_what_cannot_be_done_to_a_timer_is_said(scenario: Scenario, pausing: UUID) -> None:
    fire, move = scenario.timers.fire, scenario.timers.move
    scenario.when(move, MoveTimer(pausing, "pause", "timer", NOW + 9_000 * HOUR, WHY)).then(TimerTooFar)
    scenario.when(fire, FireTimer(pausing, "pause", "retry", WHY)).then(NoSuchTimer)
    scenario.when(fire, FireTimer(pausing, "pause", "alarm", WHY)).then(NotFound)
    scenario.when(fire, FireTimer(pausing, "nowhere", "timer", WHY)).then(NotFound)
    scenario.when(fire, FireTimer(UUID(int=1), "pause", "timer", WHY)).then(NotFound)


def test_a_sign_of_life_puts_the_heartbeat_off_and_is_not_recorded(scenario: Scenario, accepted: UUID) -> None:
    recorded = scenario.when(scenario.timers.heartbeat, RecordHeartbeat(accepted, "a", 1), BOB).then()
    assert not recorded.receipt.duplicate
    assert scenario.list_of("due_timers", "step", "due_at") == [("a", BOB.at + TEN_MINUTES)]


def test_a_sign_of_life_does_not_bring_a_timer_nearer(scenario: Scenario, accepted: UUID) -> None:
    tomorrow = NOW + 24 * HOUR
    scenario.after(scenario.timers.move, MoveTimer(accepted, "a", "heartbeat", tomorrow, WHY))
    scenario.when(scenario.timers.heartbeat, RecordHeartbeat(accepted, "a", 1), BOB).then()
    assert scenario.list_of("due_timers", "step", "due_at") == [("a", tomorrow)]


def test_only_the_attempt_under_way_gives_signs_of_life(scenario: Scenario, accepted: UUID) -> None:
    scenario.when(scenario.timers.heartbeat, RecordHeartbeat(accepted, "a", 2)).then(StepNotRunning)
    scenario.after(scenario.executions.cancel, CancelExecution(accepted))
    scenario.when(scenario.timers.heartbeat, RecordHeartbeat(accepted, "a", 1)).then(StepNotRunning)
    assert scenario.list_of("due_timers", "step") == []
