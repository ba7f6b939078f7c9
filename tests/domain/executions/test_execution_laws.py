"""Laws that hold for every process graph, whatever agents answer, operators do and timers bring, in whatever order."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.event import Event
from domain.executions.decisions.child import end_child, start_child
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.events.approval import ApprovalExpired, ApprovalRequested
from domain.executions.events.child import ChildStarted, ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionEnded, ExecutionRetried, Trigger
from domain.executions.events.repetition import ItemsListed, ItemsResumed
from domain.executions.events.step import (
    GatewayEvaluated,
    StepAnswerIgnored,
    StepCancelled,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
)
from domain.executions.events.timer import TimerStarted
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.processes.plan import Plan, PlannedGateway
from tests.domain.executions.played import ACTIONS, CHILD, INPUT, Clock, Played, Process, processes

Script = list[tuple[str, int, int]]

CLOSED = {"completed", "failed", "timed_out", "skipped", "cancelled"}
ENDS = (StepCompleted, StepFailed, StepTimedOut, StepCancelled)
LISTED = (ItemsListed, ItemsResumed)
BEGINS = (StepStarted, TimerStarted, ApprovalRequested, SubProcessStarted, *LISTED)
REACHED = (StepScheduled, TimerStarted, GatewayEvaluated, ApprovalRequested, SubProcessStarted, *LISTED)

scripts = st.lists(
    st.tuples(st.sampled_from([*ACTIONS, "child"]), st.integers(0, 9), st.integers(0, 6)),
    max_size=30,
)


class Play(Played):
    """An execution that follows a script, and is then brought to its end; the children that it asks for end at will."""

    def __init__(self, plan: Plan, child: Plan, clock: Clock, script: Script, take: int) -> None:
        callees = {id: child for id, step in plan.steps.items() if getattr(step, "process", "") == CHILD}
        callees |= plan.bodies
        begun = start_execution(UUID(int=1), plan, {"n": 1}, Trigger(), clock.now(), take, callees=callees)
        super().__init__(begun, clock, take)
        self.child = child
        for action, choice, seconds in script:
            clock.seconds += seconds
            self.act(action, choice)
        for turn in range(400):
            if self.ended:
                break
            assert self.work("ok", turn) or self.end_one(turn) or self.wait(), "an execution that waits for nothing"
        assert self.ended, "an execution that does not end"

    def act(self, action: str, choice: int) -> None:
        """As Played, or a child ends: one that is waited for, or any that there ever was."""
        if action != "child":
            super().act(action, choice)
        elif choice < 5 or not self.end_one(choice):
            asked = [event for event in self.events if isinstance(event, ChildStarted)]
            if asked:
                self.end(asked[choice % len(asked)], choice)

    def end_one(self, choice: int) -> bool:
        """One of the children that are waited for ends; False when there is none."""
        waited = [e for e in self.events if isinstance(e, ChildStarted) and e.waits and e.child in self.children]
        if waited:
            self.end(waited[choice % len(waited)], choice)
        return bool(waited)

    @property
    def children(self) -> dict[UUID, Any]:
        """Those that have not ended, as far as the execution knows."""
        return self.execution.children

    def end(self, asked: ChildStarted, choice: int) -> None:
        """A child runs, ends in one way or another, and reports."""
        cause, parent = self.clock.now(), self.execution.id
        child = start_child(Execution(asked.child, self.child), asked, parent, cause, 1).execution
        if choice % 4 == 3:
            end = cancel_execution(child, "script", cause)
        elif choice % 4 == 2:
            end = fail_step(child, "work", 1, StepError("agent_error", "script"), cause)
        else:
            end = complete_step(child, "work", 1, choice, cause)
        self.decide(end_child, child.id, end.events[-1], take=self.take)


@pytest.fixture(scope="session")
def play(plan_of: Any, at: Any) -> Callable[..., Play]:
    """play(process, script, take): a played execution."""
    child = plan_of({"work": []}, {"result": "{{ steps.work.output }}"}, INPUT)

    def build(process: Process, script: Script, take: int) -> Play:
        graph, steps = process
        return Play(plan_of(graph, root=INPUT, **steps), child, Clock(at), script, take)

    return build


@settings(max_examples=600)
@given(processes(), scripts, st.integers(0, 3))
def test_every_law_holds_for_every_execution(play, process, script, take):
    """All laws are tried on each execution, since to draw and to play one is most of the work."""
    played = play(process, script, take)
    every_execution_ends_and_nothing_but_late_answers_follows_its_end(played)
    every_attempt_has_exactly_one_end_and_attempts_are_counted_one_by_one(played)
    a_step_is_reached_when_all_that_may_lead_to_it_has_ended_and_some_does(played)
    what_completed_is_undone_once_in_reverse_order_and_nothing_else_is_begun(played)
    every_child_is_asked_for_once_and_closed_at_most_once(played)
    replaying_the_log_gives_the_same_state(played)
    every_answer_is_paid_for_once_and_the_steps_cost_what_the_execution_does(played)
    an_execution_that_has_ended_waits_for_nothing(played)


def every_execution_ends_and_nothing_but_late_answers_follows_its_end(played):
    ended = False
    for event in played.events:
        if isinstance(event, ExecutionRetried):
            ended = False
        assert not ended or isinstance(event, StepAnswerIgnored | CostRecorded)
        ended = ended or isinstance(event, ExecutionEnded)
    assert ended


def every_attempt_has_exactly_one_end_and_attempts_are_counted_one_by_one(played):
    events = played.events
    events = [event for event in events if not goes_on(event)]
    begun = Counter((e.step, e.attempt) for e in events if isinstance(e, BEGINS))
    ended = Counter((e.step, e.attempt) for e in events if isinstance(e, ENDS) and getattr(e, "started_at", None))
    ended += Counter((e.step, e.attempt) for e in events if isinstance(e, ApprovalExpired) and e.on_deadline == "skip")
    gateways = Counter((e.step, e.attempt) for e in events if isinstance(e, GatewayEvaluated))
    assert begun + gateways == ended
    assert set(ended.values()) <= {1}
    numbers: dict[str, int] = {}
    for event in events:
        if isinstance(event, REACHED):
            assert event.attempt > numbers.get(event.step, 0)
            numbers[event.step] = event.attempt


def goes_on(event):
    """Whether the event is an item or a later round of an attempt that has begun."""
    return isinstance(event, ItemStarted) or (isinstance(event, SubProcessStarted) and event.goes_on)


def a_step_is_reached_when_all_that_may_lead_to_it_has_ended_and_some_does(played):
    for seen, event in firsts(played.events):
        step = played.plan.steps[event.step]
        leading = [leads(played.plan, seen, source, step.id) for source in step.incoming]
        assert None not in leading, f"{step.id} did not wait"
        not_taken = isinstance(event, StepSkipped) and event.reason == "branch_not_taken"
        assert not_taken is (bool(leading) and not any(leading))


def what_completed_is_undone_once_in_reverse_order_and_nothing_else_is_begun(played):
    undoing = list(played.plan.compensations.values())
    required = [n for n, event in enumerate(played.events) if isinstance(event, CompensationRequired)]
    before = played.events[: required[0]] if required else played.events
    after = played.events[required[0] :] if required else []
    completed = [e.step for e in before if isinstance(e, StepCompleted) and e.step in played.plan.compensations]
    assert len(required) == bool(completed and played.execution.status != "completed")
    assert not [e for e in before if getattr(e, "step", None) in undoing]
    assert [e.step for e in after if isinstance(e, CompensationStarted)] == (completed[::-1] if required else [])
    assert {e.step for e in after if isinstance(e, REACHED + BEGINS)} <= set(undoing)
    # One after the other: each has its end before the next begins.
    marks = [e for e in after if isinstance(e, CompensationStarted | CompensationCompleted | CompensationFailed)]
    assert [e.step for e in marks] == [step for step in completed[::-1] for _ in range(2)] * bool(required)
    assert all(isinstance(each, CompensationStarted) for each in marks[::2])
    succeeded = {e.step for e in after if isinstance(e, CompensationCompleted)}
    steps = played.execution.steps
    assert succeeded == {
        s for s, id in played.plan.compensations.items() if id in steps and steps[id].output is not None
    }


def every_child_is_asked_for_once_and_closed_at_most_once(played):
    asked = {e.child: e for e in played.events if isinstance(e, ChildStarted)}
    assert len(asked) == sum(isinstance(e, ChildStarted) for e in played.events)
    closed = [e for e in played.events if isinstance(e, SubProcessClosed)]
    assert len({e.child for e in closed}) == len(closed)
    for event in closed:
        assert (event.step, event.attempt) == (asked[event.child].step, asked[event.child].attempt)
        assert played.plan.steps[event.step].on_parent_close == "cancel"


def replaying_the_log_gives_the_same_state(played):
    assert fold(played.new, played.events) == played.execution
    assert played.execution.version == len(played.events)
    for cut in range(0, len(played.events), 3):
        assert fold(fold(played.new, played.events[:cut]), played.events[cut:]) == played.execution


def every_answer_is_paid_for_once_and_the_steps_cost_what_the_execution_does(played):
    booked = [event.cost for event in played.events if isinstance(event, CostRecorded)]
    of_steps = [cost for state in played.execution.steps.values() for cost in state.costs]
    assert len(booked) == len(of_steps) == played.costs
    assert sum(cost.amount for cost in booked) == sum(cost.amount for cost in of_steps)


def an_execution_that_has_ended_waits_for_nothing(played):
    execution = played.execution
    assert (execution.timers, execution.children) == ({}, {})
    assert {state.status for state in execution.steps.values()} <= CLOSED
    if execution.status == "completed":
        assert set(execution.steps) == set(execution.plan.steps) - set(execution.plan.compensations.values())
        assert execution.open == 0
        assert not any(execution.waiting.values())


def firsts(events: list[Event]) -> Iterator[tuple[list[Event], Any]]:
    """The event with which each step was first reached or passed over, and all that happened before."""
    known: set[str] = set()
    for n, event in enumerate(events):
        if isinstance(event, (*REACHED, StepSkipped, StepFailed)) and event.step not in known:
            known.add(event.step)
            yield events[:n], event


def leads(plan: Plan, events: list[Event], source: str, target: str) -> bool | None:
    """Whether `source` leads to `target` by the rules of the language; None while that is undecided."""
    ended = (StepCompleted, StepSkipped, StepDiverted)
    end = next((e for e in reversed(events) if isinstance(e, ended) and e.step == source), None)
    if end is None:
        return None
    if isinstance(end, StepDiverted):
        return target == end.target
    if isinstance(end, StepSkipped) and end.reason == "branch_not_taken":
        return False
    step = plan.steps[source]
    if isinstance(step, PlannedGateway) and target in {*(route.target for route in step.routes), step.default}:
        chosen = [e.chosen for e in events if isinstance(e, GatewayEvaluated) and e.step == source]
        return isinstance(end, StepCompleted) and target in chosen[-1]
    return source in plan.steps[target].depends_on
