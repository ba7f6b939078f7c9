"""Laws that hold for executions that call one another, whatever happens to each, and whenever each hears of it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.executions.events.child import SubProcessClosed
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepFailed
from domain.executions.state.evolution import fold
from domain.processes.plan import Limits
from tests.domain.executions.drawn_processes import Process, processes
from tests.domain.executions.family import ROOT, Family
from tests.domain.executions.played import ACTIONS, Clock

Drawn = tuple[dict[str, Process], Limits, bool]


@st.composite
def families(draw: st.DrawFn) -> Drawn:
    """Three processes, of which each calls those below it; limits; and whether the middle one is to queue."""
    drawn = {
        "top": draw(processes(4, ("middle", "middle", "low"), many=12)),
        "middle": draw(processes(3, ("low", "low", "nowhere"), many=6)),
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
        root = {"middle": {"max_running": 1}} if queues else {}
        plans = {
            name: plan_of(graph, {"x": 1}, root.get(name), limits=limits, **steps)
            for name, (graph, steps) in written.items()
        }
        return Family(plans, Clock(at), script, take)

    return build


@settings(max_examples=120)
@given(families(), scripts, st.integers(0, 2))
def test_every_law_holds_for_every_family(play, drawn, script, take):
    """All laws are tried on each family, since to draw and to play one is most of the work."""
    family = play(drawn, script, take)
    every_execution_of_a_family_ends_and_leaves_nothing(family)
    every_child_has_one_attempt_that_asked_for_it_and_every_such_attempt_one_child(family)
    replaying_the_logs_gives_the_same_family(family)
    a_step_makes_of_its_child_what_the_child_came_to(family)


def every_execution_of_a_family_ends_and_leaves_nothing(family):
    # That nobody waits or runs in vain once all has arrived, and that what arrives twice is nothing, is checked inside.
    for member in family.members.values():
        execution = member.execution
        assert (member.timers, execution.timers, execution.children) == ({}, {}, {})
        assert execution.status in ("completed", "failed", "cancelled")


def every_child_has_one_attempt_that_asked_for_it_and_every_such_attempt_one_child(family):
    asked = family.asked()
    assert sorted(e.child for _, e in asked) == sorted(set(family.members) - {ROOT})
    assert len({(id, e.step, e.attempt) for id, e in asked}) == len(asked)
    for id, event in asked:
        parent, child = family.members[id].execution, family.members[event.child].execution
        known = child.parent
        assert (known.execution_id, known.step, known.attempt, known.waits) == (
            id,
            event.step,
            event.attempt,
            event.wait,
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
        if not event.wait or state.attempt != event.attempt or family.retried(event.child):
            continue
        if state.status == "completed":
            assert child.execution.status == "completed"
            assert state.output == {"x": 1}
        elif state.status == "failed":
            assert state.error.code == ("child_cancelled" if child.execution.status == "cancelled" else "child_failed")
        elif state.status in ("cancelled", "timed_out") and family.closes(id, event):
            events = family.members[id].events
            closed = event.child in {e.child for e in events if isinstance(e, SubProcessClosed)}
            failed = (event.step, event.attempt) in {(e.step, e.attempt) for e in events if isinstance(e, StepFailed)}
            assert closed is not failed
