"""Laws that hold for executions that call one another, whatever happens to each, and whenever each hears of it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.executions.events.child import ChildStarted, ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.repetition import (
    ItemCompleted,
    ItemFailed,
    ItemsListed,
    ItemsResumed,
    RoundCompleted,
)
from domain.executions.events.step import StepFailed
from domain.executions.state.evolution import fold
from domain.processes.plan import Limits
from tests.domain.executions.family import ROOT, Family
from tests.domain.executions.played import ACTIONS, INPUT, Clock, Process, processes

Drawn = tuple[dict[str, Process], Limits, bool]


@st.composite
def families(draw: st.DrawFn) -> Drawn:
    """Three processes, of which each calls those below it; limits; and whether the middle one is to queue."""
    drawn = {
        "top": draw(processes(4, ("middle", "middle", "low"), many=14)),
        "middle": draw(processes(3, ("low", "low", "nowhere"), many=7)),
        "low": draw(processes(2, many=0)),
    }
    limits = Limits(draw(st.sampled_from([10, 10, 1])), draw(st.sampled_from([10_000, 10_000, 2])))
    return drawn, limits, draw(st.booleans())


scripts = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([*ACTIONS, *["deliver"] * 5, "admit"]),
        st.integers(0, 9),
        st.integers(0, 4),
    ),
    max_size=40,
)


@pytest.fixture(scope="session")
def play(plan_of: Any, at: Any) -> Callable[..., Family]:
    """play(family, script, take): a family that has played."""

    def build(drawn: Drawn, script: Any, take: int) -> Family:
        written, limits, queues = drawn
        more = {"middle": {"max_running": 1}} if queues else {}
        plans = {
            name: plan_of(graph, {"x": 1}, INPUT | more.get(name, {}), limits=limits, **steps)
            for name, (graph, steps) in written.items()
        }
        return Family(plans, Clock(at), script, take)

    return build


@settings(max_examples=400)
@given(families(), scripts, st.integers(0, 2))
def test_every_law_holds_for_every_family(play, drawn, script, take):
    """All laws are tried on each family, since to draw and to play one is most of the work."""
    family = play(drawn, script, take)
    every_execution_of_a_family_ends_and_leaves_nothing(family)
    every_child_has_one_attempt_that_asked_for_it_and_every_such_attempt_one_child(family)
    replaying_the_logs_gives_the_same_family(family)
    a_step_makes_of_its_child_what_the_child_came_to(family)
    a_step_that_goes_through_a_list_keeps_its_bounds_and_its_order(family)
    rounds_come_one_after_the_other(family)


def item_of(event: ChildStarted) -> int | None:
    return event.item if isinstance(event, ItemStarted) else None


def round_of(event: ChildStarted) -> int | None:
    return event.round if isinstance(event, SubProcessStarted) else None


def every_execution_of_a_family_ends_and_leaves_nothing(family):
    # That nobody waits or runs in vain once all has arrived, and that what arrives twice is nothing, is checked inside.
    for member in family.members.values():
        execution = member.execution
        assert (member.timers, execution.timers, execution.children) == ({}, {}, {})
        assert execution.status in ("completed", "failed", "cancelled")


def every_child_has_one_attempt_that_asked_for_it_and_every_such_attempt_one_child(family):
    asked = family.asked()
    assert sorted(e.child for _, e in asked) == sorted(set(family.members) - {ROOT})
    assert len({(id, e.step, e.attempt, item_of(e), round_of(e)) for id, e in asked}) == len(asked)
    for id, event in asked:
        parent, child = family.members[id].execution, family.members[event.child].execution
        known = child.parent
        assert (known.item, known.round) == (item_of(event), round_of(event))
        assert (known.execution_id, known.step, known.attempt, known.waits) == (
            id,
            event.step,
            event.attempt,
            event.waits,
        )
        above = [] if parent.parent is None else parent.parent.path
        assert (known.root, known.path, known.depth) == (ROOT, [*above, id], len(above) + 1)
        assert known.depth <= parent.plan.limits.max_depth
        assert sum(isinstance(e, ExecutionStarted) for e in family.members[event.child].events) == 1
        assert {e.correlation for e in family.members[event.child].events} == {str(ROOT)}


def replaying_the_logs_gives_the_same_family(family):
    for member in family.members.values():
        assert fold(member.new, member.events) == member.execution
        cut = len(member.events) // 2
        assert fold(fold(member.new, member.events[:cut]), member.events[cut:]) == member.execution


def a_step_makes_of_its_child_what_the_child_came_to(family):
    for id, event in family.asked():
        state = family.members[id].execution.steps[event.step]
        child = family.members[event.child]
        once = item_of(event) is None and round_of(event) is None
        if not once or not event.waits or state.attempt != event.attempt or family.retried(event.child):
            continue
        if state.status == "completed":
            assert child.execution.status == "completed"
            assert state.output in ({"x": 1}, {"child": {"x": 1}})
        elif state.status == "failed":
            assert state.error.code == ("child_cancelled" if child.execution.status == "cancelled" else "child_failed")
        elif state.status in ("cancelled", "timed_out") and family.closes(id, event):
            events = family.members[id].events
            closed = event.child in {e.child for e in events if isinstance(e, SubProcessClosed)}
            failed = (event.step, event.attempt) in {(e.step, e.attempt) for e in events if isinstance(e, StepFailed)}
            assert closed is not failed


def a_step_that_goes_through_a_list_keeps_its_bounds_and_its_order(family):
    for member in family.members.values():
        for step, state in member.execution.steps.items():
            planned = member.plan.steps[step]
            each = getattr(planned, "for_each", None)
            if each is None:
                continue
            own = [e for e in member.events if getattr(e, "step", None) == step]
            running: set[int] = set()
            begun: dict[int, list[int]] = {}
            results: dict[int, object] = {}
            for event in own:
                if isinstance(event, ItemsListed | ItemsResumed):
                    running = set()
                elif isinstance(event, ItemStarted):
                    running.add(event.item)
                    begun.setdefault(event.attempt, []).append(event.item)
                    assert event.item not in results, "an item that has a result began again"
                    assert len(running) <= each.max_parallel
                elif isinstance(event, ItemCompleted):
                    running.discard(event.item)
                    results[event.item] = event.output
                elif isinstance(event, ItemFailed):
                    running.discard(event.item)
            assert all(items == sorted(items) for items in begun.values())
            if state.status == "completed":
                listed = next(e for e in own if isinstance(e, ItemsListed)).items
                outputs = state.output[planned.output_key] if planned.output_key else state.output
                assert len(outputs) == len(listed)
                for at, output in enumerate(outputs):
                    missing = {"skip": output is None, "collect": list(output or {}) == ["error"]}
                    assert output == results[at] if at in results else missing[each.on_error]


def rounds_come_one_after_the_other(family):
    for member in family.members.values():
        for step in member.execution.steps:
            repeat = getattr(member.plan.steps[step], "repeat", None)
            if repeat is None:
                continue
            ended = 0
            for event in member.events:
                if getattr(event, "step", None) != step:
                    continue
                if isinstance(event, SubProcessStarted):
                    assert event.round == (ended + 1 if ended < repeat.max else 1)
                    ended = ended if ended < repeat.max else 0
                elif isinstance(event, RoundCompleted):
                    assert event.round == ended + 1
                    ended = event.round
