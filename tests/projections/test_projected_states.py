"""Read models against the engine: whatever happens, rows say of executions and steps what their folded state says."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from domain.executions.events.child import SubProcessStarted
from domain.executions.events.outcomes import (
    COMPENSATING,
    COMPLETED,
    FAILED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SKIPPED,
    STARTED,
    TIMED_OUT,
    WAITING,
)
from domain.executions.events.repetition import RoundCompleted
from domain.executions.events.timer import TimerMoved
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.executions.timers import RETRY, ROUND
from domain.executions.waiting import awaited_by_step
from domain.processes.plan import (
    PlannedAgentTask,
    PlannedApproval,
    PlannedGateway,
    PlannedNotification,
    PlannedSubProcess,
    PlannedTimer,
)
from projections.execution_detail import ExecutionDetailProjection
from projections.execution_list import ExecutionList
from projections.process_catalogue import ProcessCatalogue
from tests.projections.measured_stories import simulated

APPEND = """
insert into stored_events (notification_id, originator_id, originator_version, topic, state)
values (%s, encode(%s, 'hex')::uuid, %s, %s, %s)"""


def cut_short(seed: int, whim: int) -> tuple[list[Execution], list[tuple[Any, Any]]]:
    """Executions that are somewhere on their way: their states by the engine, and the log of them all, mixed."""
    world, random = simulated(seed, 25), Random(whim)
    states, parts, log = [], [], []
    for id_ in world.ids:
        events = world.store.stream(id_)
        known = events[: random.randint(1, len(events))] if random.random() < 0.8 else events
        states.append(fold(Execution(id_, world.execution(id_).plan), known))
        parts.append([(id_, event) for event in known])
    while parts:
        part = random.choice(parts)
        log.append(part.pop(0))
        if not part:
            parts.remove(part)
    return states, log


def pages(rows: list[Any], size: int) -> Iterator[list[Any]]:
    return (rows[begin : begin + size] for begin in range(0, len(rows), size))


# Three numbers say it all: there is nothing to shrink.
@settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 5), whim=st.integers(0, 999), size=st.integers(1, 200))
@example(seed=5, whim=191, size=179)  # a delay before a round
@example(seed=5, whim=23, size=50)  # an execution that waits for it
def test_rows_say_what_the_state_of_the_engine_says(read_tables, as_rows, seed, whim, size):
    states, log = cut_short(seed, whim)
    models = ExecutionList(), ExecutionDetailProjection(), ProcessCatalogue()
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        rows = as_rows(log)
        with connection.cursor() as cursor:
            cursor.executemany(APPEND, rows)
        for page in pages(rows, size):
            for model in models:
                model.write(connection, model.fold_rows(page, connection))
        listed = {row["execution_id"]: row for row in connection.execute("select * from execution_list").fetchall()}
        details = {row["execution_id"]: row for row in connection.execute("select * from execution_detail").fetchall()}
        steps: dict[Any, dict[str, Any]] = {}
        for row in connection.execute("select * from execution_steps").fetchall():
            steps.setdefault(row["execution_id"], {})[row["step"]] = row
        counted = connection.execute("select * from process_catalogue").fetchall()
        waits = connection.execute("select execution_id, step, kind, until from execution_list_waits").fetchall()
    delays = last_delays(log)
    for state in states:
        assert_same(state, listed[state.id], details[state.id], steps.get(state.id, {}), delays)
    assert sorted(tuple(row.values()) for row in waits) == sorted(wait for state in states for wait in waits_in(state))
    # The steps inside a step are no process: their executions are a part of another one.
    whole = [state for state in states if not state.plan.body]
    assert sum(row["started"] for row in counted) == len(whole)
    statuses = Counter(state.status for state in whole)
    assert {name: sum(row[name] for row in counted) for name in ("completed", "failed", "cancelled")} == {
        name: statuses[name] for name in ("completed", "failed", "cancelled")
    }
    # Which process it is of, what says that an execution undoes what it did does not say.
    newest = {state.id: RUNNING if state.status == COMPENSATING else state.status for state in states}
    assert all(row["last_execution_status"] == newest[row["last_execution_id"]] for row in counted)


TYPES: dict[type, str] = {
    PlannedAgentTask: "agent_task",
    PlannedApproval: "human_approval",
    PlannedGateway: "gateway",
    PlannedNotification: "notification",
    PlannedSubProcess: "sub_process",
    PlannedTimer: "timer",
}


def waits_in(state: Execution) -> Iterator[tuple[Any, ...]]:
    """What the steps of an execution wait for, and until when; the due list has those that wait for a worker's call."""
    for id_, step in state.steps.items():
        kind = awaited_by_step(step.status, TYPES[type(state.plan.steps[id_])])
        delay = state.timers.get((id_, ROUND))
        if delay is not None:
            yield state.id, id_, "timer", delay
        elif kind is not None and step.status not in (SCHEDULED, STARTED):
            yield state.id, id_, kind, {"retry": state.timers.get((id_, RETRY)), "agent": None}.get(kind, step.due_at)


def last_delays(log: list[tuple[Any, Any]]) -> dict[tuple[Any, str], Any]:
    """Return the end of the last delay before a round, by execution and step, of the steps whose attempt had one."""
    ends = {}
    for id_, event in log:
        if isinstance(event, RoundCompleted) and event.next_at is not None:
            ends[id_, event.step] = event.next_at
        elif isinstance(event, TimerMoved) and event.kind == ROUND:
            ends[id_, event.step] = event.due_at
        elif isinstance(event, SubProcessStarted) and not event.goes_on:
            ends.pop((id_, event.step), None)
    return ends


def assert_same(state: Execution, listed: Any, detail: Any, steps: dict[str, Any], delays: dict[Any, Any]) -> None:
    assert (listed["status"], listed["ended_at"]) == (state.status, state.ended_at)
    assert (detail["status"], detail["ended_at"]) == (state.status, state.ended_at)
    assert listed["started_at"] == detail["started_at"] == state.started_at
    parent = state.parent
    place = (None, None, None) if parent is None else (parent.execution_id, parent.root, parent.depth)
    assert (listed["parent_id"], listed["root_id"], listed["depth"]) == place
    assert (detail["parent_id"], detail["parent_step"], detail["parent_attempt"]) == (
        (None, None, None) if parent is None else (parent.execution_id, parent.step, parent.attempt)
    )
    failed = state.status == FAILED
    assert ((listed["error_code"] is not None), (detail["error"] is not None)) == (failed, failed)
    # What undoes a step is none of the process.
    graph = [step for id_, step in state.steps.items() if state.plan.steps[id_].compensates is None]
    statuses = Counter(step.status for step in graph)
    # Of the steps that failed those with a choice were diverted: that was provided for.
    diverted = sum(step.status in (FAILED, TIMED_OUT) and step.chosen is not None for step in graph)
    assert listed["steps_done"] == statuses[COMPLETED] + statuses[SKIPPED] + diverted
    assert listed["steps_failed"] == statuses[FAILED] + statuses[TIMED_OUT] - diverted
    if state.status == COMPLETED:
        assert (listed["steps_done"], listed["steps_failed"]) == (listed["steps"], 0)
    assert {id_: row["status"] for id_, row in steps.items()} == {id_: step.status for id_, step in state.steps.items()}
    for id_, repetition in state.repetitions.items():
        if repetition.todo or repetition.ends:
            ended = {item for item, _, completed in repetition.ends if completed}
            shown = steps[id_]["items"], steps[id_]["items_completed"], steps[id_]["items_failed"]
            assert shown == (len(repetition.items), len(ended), repetition.failed)
    for id_, step in state.steps.items():
        row = steps[id_]
        assert (row["attempt"] or 0) == step.attempt
        assert row["ended_at"] == step.ended_at
        assert (row["started_at"] if step.started_at else None) == step.started_at
        assert row["chosen"] == (None if step.chosen is None else list(step.chosen))
        if step.agent:
            assert row["agent"] == step.agent
        if step.status == WAITING:
            # Between rounds the time is one of the timers; a row keeps that of the last wait.
            assert row["due_at"] == delays.get((state.id, id_), step.due_at)
            assert state.timers.get((id_, ROUND), row["due_at"]) == row["due_at"]
        elif step.status == RETRYING:
            assert row["due_at"] == state.timers.get((id_, RETRY))
        if step.error is not None:
            assert row["error"] == msgspec.to_builtins(step.error) | {"message": row["error"]["message"]}
        elif step.status not in (SKIPPED, "cancelled"):
            assert row["error"] is None
