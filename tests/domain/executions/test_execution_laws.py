"""Laws that hold for every process graph, whatever agents answer and in whatever order."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.event import Event
from domain.executions.decisions import cancel_execution, complete_step, fail_step, start_execution, start_step
from domain.executions.events import (
    ExecutionEnded,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    Trigger,
)
from domain.executions.execution import Execution, fold

ID = UUID(int=1)
TERMINAL = (StepCompleted, StepFailed, StepSkipped, StepCancelled)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """A random acyclic graph of up to eight steps, some with conditions on what came before."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, 8)))]
    graph, more = {}, {}
    for n, id in enumerate(ids):
        graph[id] = sorted(draw(st.sets(st.sampled_from(ids[:n]), max_size=3))) if n else []
        if draw(st.booleans()):
            odd = f"(steps.{graph[id][0]}.output || 0) > 1" if graph[id] else "input.go"
            more[id] = {"condition": draw(st.sampled_from([odd, "true", "false"]))}
    return graph, more


turns = st.sampled_from(["ok", "ok", "ok", "fail", "cancel", "restart"])
actions = st.lists(st.tuples(turns, st.integers(0, 7)), max_size=40)


def play(plan: Any, at: Any, script: list[tuple[str, int]], take: int) -> list[Event]:
    """Every event of an execution whose worker and agents follow `script`, then answer whatever is left."""
    unfolding = start_execution(ID, plan, {"go": True}, Trigger(), at(0), take)
    events, execution = list(unfolding.events), unfolding.execution
    for turn, (action, choice) in enumerate([*script, *[("ok", 0)] * 40]):
        if execution.ended_at:
            break
        open_steps = [id for id, step in execution.steps.items() if step.status in ("scheduled", "started")]
        step = open_steps[choice % len(open_steps)]
        cause = at(turn + 1)
        if action == "restart":
            execution = fold(Execution(ID, plan), events)
            continue
        if action == "cancel":
            unfolding = cancel_execution(execution, "script", cause)
        elif execution.steps[step].status == "scheduled":
            unfolding = start_step(execution, step, 1, cause)
        elif action == "fail":
            unfolding = fail_step(execution, step, 1, StepError("agent_error", "script"), cause)
        else:
            unfolding = complete_step(execution, step, 1, choice, cause, take=take)
        events += unfolding.events
        execution = unfolding.execution
    return events


@given(graphs(), actions, st.integers(0, 3))
def test_every_execution_ends_and_nothing_follows_its_end(plan_of, at, graph, script, take):
    events = play(plan_of(graph[0], **graph[1]), at, script, take)
    assert [isinstance(e, ExecutionEnded) for e in events].index(True) == len(events) - 1


@given(graphs(), actions, st.integers(0, 3))
def test_every_attempt_that_was_scheduled_has_exactly_one_end_and_no_step_has_two(plan_of, at, graph, script, take):
    events = play(plan_of(graph[0], **graph[1]), at, script, take)
    ended = [e.step for e in events if isinstance(e, TERMINAL)]
    assert len(ended) == len(set(ended))
    assert {e.step for e in events if isinstance(e, StepScheduled)} <= set(ended)


@given(graphs(), actions, st.integers(0, 3))
def test_no_step_starts_before_all_it_needs_have_ended(plan_of, at, graph, script, take):
    ended: set[str] = set()
    for event in play(plan_of(graph[0], **graph[1]), at, script, take):
        if isinstance(event, TERMINAL):
            ended.add(event.step)
        if isinstance(event, StepScheduled | StepStarted | StepSkipped):
            assert set(graph[0][event.step]) <= ended


@given(graphs(), actions, st.integers(0, 3))
def test_replaying_the_log_gives_the_same_state(plan_of, at, graph, script, take):
    plan = plan_of(graph[0], **graph[1])
    events = play(plan, at, script, take)
    whole = fold(Execution(ID, plan), events)
    for cut in range(0, len(events) + 1, 3):
        assert fold(fold(Execution(ID, plan), events[:cut]), events[cut:]) == whole
    assert whole.version == len(events)
