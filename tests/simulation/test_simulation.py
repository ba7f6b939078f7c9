"""The whole engine with everything that can go wrong around it. A failing seed can be run again: --seed N."""

from collections import Counter
from datetime import timedelta
from typing import Any

from domain.event import Event
from domain.executions.approval_events import ApprovalExpired, ApprovalRequested
from domain.executions.events import (
    CostRecorded,
    GatewayEvaluated,
    StepCancelled,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
    TimerFired,
    TimerStarted,
)
from domain.executions.execution import Execution, evolve

EXECUTIONS = 200
BEGINS = (StepStarted, TimerStarted, GatewayEvaluated, ApprovalRequested)
ENDS = (StepCompleted, StepFailed, StepTimedOut, StepCancelled)


def world(seed: int, **more: Any) -> Any:
    from simulated_world import World  # found once conftest.py has said where

    simulated = World(seed, executions=EXECUTIONS, **more)
    simulated.run()
    return simulated


def test_every_execution_ends_whatever_goes_wrong(seed: int) -> None:
    simulated = world(seed)
    assert len(simulated.ids) == EXECUTIONS
    for id_ in simulated.ids:
        execution, events = simulated.execution(id_), simulated.store.stream(id_)
        assert execution.ended_at is not None
        assert_lawful(execution, events)
    assert simulated.store.due_steps == {}
    assert simulated.store.due_timers == {}


def assert_lawful(execution: Execution, events: list[Event]) -> None:
    begun = Counter((e.step, e.attempt) for e in events if isinstance(e, BEGINS))
    ended = Counter((e.step, e.attempt) for e in events if isinstance(e, ENDS) and e.started_at is not None)
    ended += Counter((e.step, e.attempt) for e in events if isinstance(e, ApprovalExpired) and e.on_deadline == "skip")
    assert begun == ended, "an attempt has one end"
    assert set(ended.values()) <= {1}
    paid = Counter((e.step, e.attempt) for e in events if isinstance(e, CostRecorded))
    assert set(paid.values()) <= {1}, "an answer is paid for once"
    assert paid.total() == sum(len(state.costs) for state in execution.steps.values())
    assert all(e.lateness >= timedelta() for e in events if isinstance(e, TimerFired)), "no timer is early"
    assert_in_order(execution, events)


def assert_in_order(execution: Execution, events: list[Event]) -> None:
    """No step begins before all that may lead to it has ended."""
    over: set[str] = set()
    for event in events:
        if isinstance(event, StepScheduled | TimerStarted | GatewayEvaluated | ApprovalRequested):
            assert over >= set(execution.plan.steps[event.step].incoming), "a step waits for what leads to it"
        if isinstance(event, StepCompleted | StepSkipped | StepDiverted):
            over.add(event.step)


def test_the_to_do_list_of_timers_is_at_any_time_what_the_log_says(seed: int) -> None:
    """Checked by a look at every append of a simulation without heartbeats, which the log does not know of."""
    from simulated_world import World

    simulated = World(seed + 1_000, executions=10)
    states: dict[Any, Execution] = {}
    record = simulated.store._record

    def look(stream: Any, events: list[Event], owner: Any) -> None:
        if stream in states:
            listed = {
                (step, kind): due for (id_, step, kind), due in simulated.store.due_timers.items() if id_ == stream
            }
            expected = states[stream].timers
            assert listed.keys() == expected.keys()
            assert all(listed[key] == due for key, due in expected.items() if key[1] != "heartbeat")
        else:
            states[stream] = Execution(stream, simulated.plans.get(events[0].process_id, 1))  # type: ignore[attr-defined]
        for event in events:
            evolve(states[stream], event)
        record(stream, events, owner)

    simulated.store._record = look
    simulated.run()
    assert len(states) == 10


def test_a_seed_tells_the_same_story_every_time() -> None:
    first, second = world(7), world(7)
    assert [first.store.stream(id_) for id_ in first.ids] == [second.store.stream(id_) for id_ in second.ids]
    assert first.crashed_workers > 0
