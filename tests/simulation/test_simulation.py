"""The whole engine, with every failure around it. Run a failing seed again with --seed N."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.batches.acts import ACTS
from domain.batches.batch import RUNNING, STATUSES
from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events.approval import ApprovalExpired, ApprovalRequested
from domain.executions.events.child import ChildStarted, ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.repetition import (
    ItemCompleted,
    ItemFailed,
    ItemsListed,
    ItemsResumed,
    RoundCompleted,
)
from domain.executions.events.step import (
    GatewayEvaluated,
    StepCancelled,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
)
from domain.executions.events.timer import TimerFired, TimerStarted
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from domain.executions.timers import HEARTBEAT
from domain.identity import child_id
from domain.processes.plan import PlannedSubProcess
from store.unit import Unit

EXECUTIONS = 70
LISTS = (ItemsListed, ItemsResumed)
BEGINS = (StepStarted, TimerStarted, GatewayEvaluated, ApprovalRequested, SubProcessStarted, *LISTS)
REACHES = (StepScheduled, TimerStarted, GatewayEvaluated, ApprovalRequested, SubProcessStarted, *LISTS)
ENDS = (StepCompleted, StepFailed, StepTimedOut, StepCancelled)


def world(seed: int, **more: Any) -> Any:
    from simulated_world import World  # importable once conftest.py has set the path

    simulated = World(seed, executions=EXECUTIONS, **more)
    simulated.run()
    return simulated


def test_every_execution_ends_whatever_goes_wrong(seed: int) -> None:
    """simulated_watch checks the rules of every moment at each append; this test checks the end."""
    simulated = world(seed)
    histories = {id_: simulated.store.stream(id_) for id_ in simulated.ids}
    assert len(histories) == len(simulated.ids) > EXECUTIONS
    for id_, events in histories.items():
        execution = simulated.execution(id_)
        assert execution.ended_at is not None
        assert_lawful(execution, events)
        assert_undone_in_reverse(execution, events)
        assert_closed(execution, events)
    assert_related(histories)
    assert simulated.lists.due_steps == {}
    assert simulated.lists.due_timers == {}
    assert simulated.lists.outbox == {}
    assert simulated.watch.closing == {}, "a child that is closed receives that"
    assert simulated.lists.admissions == {}
    assert simulated.lists.running_batches == {}
    simulated.batches.assert_over()


def assert_lawful(execution: Execution, events: list[Event]) -> None:
    begun = Counter((e.step, e.attempt) for e in events if isinstance(e, BEGINS) and not goes_on(e))
    ended = Counter((e.step, e.attempt) for e in events if isinstance(e, ENDS) and e.started_at is not None)
    ended += Counter((e.step, e.attempt) for e in events if isinstance(e, ApprovalExpired) and e.on_deadline == "skip")
    assert begun == ended, "an attempt has one end"
    assert set(ended.values()) <= {1}
    paid = Counter((e.step, e.attempt) for e in events if isinstance(e, CostRecorded))
    assert set(paid.values()) <= {1}, "an answer is paid for once"
    booked = Counter((e.step, e.cost) for e in events if isinstance(e, CostRecorded) and e.cost is not None)
    booked += Counter((e.step, e.after) for e in events if isinstance(e, CostCorrected))
    assert booked == Counter((step, cost) for step, state in execution.steps.items() for cost in state.costs)
    assert all(e.lateness >= timedelta() for e in events if isinstance(e, TimerFired)), "no timer is early"
    assert_in_order(execution, events)


def goes_on(event: Event) -> bool:
    """Return whether the event is an item or a later round of an attempt that has begun."""
    return isinstance(event, ItemStarted) or (isinstance(event, SubProcessStarted) and event.goes_on)


def assert_in_order(execution: Execution, events: list[Event]) -> None:
    """Assert that no step begins before all steps that may lead to it have ended."""
    over: set[str] = set()
    for event in events:
        if isinstance(event, REACHES):
            assert over >= set(execution.plan.steps[event.step].incoming), "a step waits for the steps that lead to it"
        if isinstance(event, StepCompleted | StepSkipped | StepDiverted):
            over.add(event.step)


def assert_undone_in_reverse(execution: Execution, events: list[Event]) -> None:
    """Assert that completed steps with a compensation are compensated once, the last one first, and no others."""
    required = [n for n, event in enumerate(events) if isinstance(event, CompensationRequired)]
    done = [e.step for e in events[: required[0]] if isinstance(e, StepCompleted)] if required else []
    expected = [step for step in reversed(done) if step in execution.plan.compensations]
    assert [e.step for e in events if isinstance(e, CompensationStarted)] == expected
    assert [e.step for e in events if isinstance(e, CompensationCompleted | CompensationFailed)] == expected
    assert bool(expected) == bool(required)


def assert_closed(execution: Execution, events: list[Event]) -> None:
    """Assert that a child that ends with its parent is closed once, unless the parent has received its end."""
    closed = Counter(event.child for event in events if isinstance(event, SubProcessClosed))
    received = {(event.step, event.attempt) for event in events if isinstance(event, StepCompleted | StepFailed)}
    ended = {event.child for event in events if isinstance(event, ItemCompleted | ItemFailed | RoundCompleted)}
    for event in events:
        if isinstance(event, ChildStarted):
            step = execution.plan.steps[event.step]
            assert isinstance(step, PlannedSubProcess)
            if isinstance(event, ItemStarted) or event.child in ended:
                over = event.child in ended
            else:
                over = event.waits and (event.step, event.attempt) in received
            stays_open = step.on_parent_close == "abandon" or over
            assert closed[event.child] == (0 if stays_open else 1)


def assert_related(histories: dict[UUID, list[Event]]) -> None:
    """Assert that every attempt that calls a process has one child, and every child the attempt that called it."""
    calls = {
        event.child: (id_, event)
        for id_, events in histories.items()
        for event in events
        if isinstance(event, ChildStarted)
    }
    assert len(calls) == sum(isinstance(e, ChildStarted) for events in histories.values() for e in events)
    for id_, events in histories.items():
        started = events[0]
        assert isinstance(started, ExecutionStarted)
        assert [event for event in events[1:] if isinstance(event, ExecutionStarted)] == []
        assert (started.parent is not None) == (id_ in calls)
        if started.parent is not None:
            parent, event = calls.pop(id_)
            assert id_ == child_id(parent, place_of(event), event.attempt)
            assert (started.parent.execution_id, started.parent.step) == (parent, event.step)
            assert (started.version, started.input) == (event.version, event.input)
    assert calls == {}, "no child is missing"


def place_of(event: ChildStarted) -> str:
    """Return the text from which the id of a child follows."""
    if isinstance(event, ItemStarted):
        return f"{event.step}[{event.item}]"
    repeats = isinstance(event, SubProcessStarted) and event.round is not None
    return f"{event.step}#{event.round}" if repeats else event.step


def test_states_and_to_do_lists_are_at_any_time_what_the_log_says(seed: int) -> None:
    """Compare at every append of a simulation; the log holds no heartbeats."""
    from simulated_world import World

    simulated = World(seed + 1_000, executions=8)
    recorded, plans = simulated.store.watch, simulated.plans
    states: dict[UUID, Execution] = {}
    compared = 0

    def check(unit: Unit, together: set[UUID]) -> None:
        nonlocal compared
        id_, first = unit.stream, unit.events[0]
        if isinstance(first, ExecutionStarted):
            plan = plans.get(first.process_id, first.version, first.body)
            states[id_] = Execution(id_, plan, callees=plans.pinned(plan, first.pinned))
        if id_ in states:
            for worker in simulated.workers:
                kept = worker.states.kept(id_)
                if kept is not None and kept.version == unit.version:
                    assert kept == states[id_]
                    compared += 1
            for event in unit.events:
                evolve(states[id_], event)
            assert_listed(states[id_], simulated.lists.due_timers)
        recorded(unit, together)

    simulated.store.watch = check
    simulated.run()
    assert states.keys() == set(simulated.ids)
    assert compared > 0


def assert_listed(execution: Execution, due_timers: dict[tuple[UUID, str, str], datetime]) -> None:
    listed = {(step, kind): due_at for (id_, step, kind), due_at in due_timers.items() if id_ == execution.id}
    assert listed.keys() == execution.timers.keys()
    assert all(listed[key] == due_at for key, due_at in execution.timers.items() if key[1] != HEARTBEAT)


def test_a_seed_tells_the_same_story_every_time() -> None:
    first, second = world(7), world(7)
    assert first.ids == second.ids
    assert [first.store.stream(id_) for id_ in first.ids] == [second.store.stream(id_) for id_ in second.ids]
    assert first.crashed_workers > 0


def test_no_more_run_than_the_limit_of_each_key_in_whatever_order_they_wait(seed: int) -> None:
    """simulated_watch checks the limit and the order of each line at each append."""
    simulated = contended_world(seed)
    assert all(simulated.execution(id_).ended_at is not None for id_ in simulated.ids)
    assert simulated.lists.admissions == {}
    assert simulated.watch.overtaken > 0


def contended_world(seed: int, **more: Any) -> Any:
    from simulated_processes import contended
    from simulated_world import World

    simulated = World(seed, executions=60, draw=contended, contention=40, **more)
    simulated.run()
    return simulated


def test_workers_meet_over_the_last_slot_in_simulations() -> None:
    assert sum(contended_world(seed, batches=0).store.slots_taken for seed in (5, 9, 12)) > 0


def test_everything_that_can_happen_in_an_execution_happens_in_simulations() -> None:
    simulated = [world(seed) for seed in (1, 2, 3, 4)]
    happened = {type(e) for each in simulated for id_ in each.ids for e in each.store.stream(id_)}
    assert {kind for kind in STORED_NAMES if kind.__module__.startswith("domain.executions")} - happened == set()
    assert sum(each.lists.waited for each in simulated) > 20, "agents wait for their limits"
    assert sum(each.watch.overlapped for each in simulated) > 20, "workers decide while a batch is on its way"


def test_everything_that_can_happen_to_a_batch_happens_in_simulations() -> None:
    simulated = [world(seed) for seed in range(1, 8)]
    batches = [batch for each in simulated for batch in each.batches.all.values()]
    assert {status for each in simulated for status in each.batches.statuses} == {*STATUSES} - {RUNNING}
    assert {batch.act for batch in batches if batch.done} == {*ACTS}
    assert all(sum(getattr(batch, outcome) for batch in batches) > 0 for outcome in ("done", "unchanged", "refused"))
    assert any(0 < batch.passed < batch.count for batch in batches), "one is stopped in the middle"
