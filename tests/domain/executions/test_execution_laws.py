"""Laws that hold for every process graph, whatever agents answer, operators do and timers bring, in whatever order."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.event import Event
from domain.executions.approval_events import ApprovalExpired, ApprovalRequested
from domain.executions.approving import decide_approval
from domain.executions.decisions import (
    accept_step,
    cancel_execution,
    complete_step,
    fail_step,
    start_execution,
    start_step,
)
from domain.executions.events import (
    CostRecorded,
    ExecutionEnded,
    ExecutionRetried,
    GatewayEvaluated,
    StepAnswerIgnored,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
    TimerStarted,
    Trigger,
)
from domain.executions.execution import Execution, fold
from domain.executions.firing import fire_timer, fire_timer_early
from domain.executions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.unfolding import Unfolding
from domain.money import Money
from domain.processes.plan import Plan
from domain.refusal import Refusal

Process = tuple[dict[str, list[str]], dict[str, dict[str, Any]]]
Script = list[tuple[str, int, int]]

CLOSED = {"completed", "failed", "timed_out", "skipped", "cancelled"}
ENDS = (StepCompleted, StepFailed, StepTimedOut, StepCancelled)
BEGINS = (StepStarted, TimerStarted, ApprovalRequested)
REACHED = (StepScheduled, TimerStarted, GatewayEvaluated, ApprovalRequested)
CENT = Money(Decimal("0.01"), "USD")


@st.composite
def processes(draw: st.DrawFn) -> Process:
    """A random acyclic graph of up to eight steps of all types, with every setting that the engine looks at."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, 8)))]
    graph: dict[str, list[str]] = {}
    steps: dict[str, dict[str, Any]] = {}
    for n, step in enumerate(ids):
        graph[step] = sorted(draw(st.sets(st.sampled_from(ids[:n]), max_size=3))) if n else []
        steps[step] = more = draw(st.sampled_from([agent, agent, timer, gateway, approval]))(draw, ids[n + 1 :])
        if draw(st.booleans()):
            before = graph[step][0] if graph[step] else "s0"
            conditions = ["true", "false", f"(steps.{before}.output || 0) > 1", f"steps.{before}.output > 1"]
            more["condition"] = draw(st.sampled_from(conditions))
        if ids[n + 1 :] and draw(st.booleans()):
            target = draw(st.sampled_from(ids[n + 1 :]))
            more["on_error"] = draw(st.sampled_from(["skip_step", {"goto_step": target}]))
            more["on_timeout"] = draw(st.sampled_from(["fail", "skip", {"goto": target}]))
    return graph, steps


def agent(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """An agent task with policies."""
    retry = {"max_attempts": draw(st.integers(1, 3)), "delay": draw(st.integers(0, 9)), "backoff": "linear"}
    limit = {"amount": "0.02", "currency": "USD"}
    may = {"timeout": 5, "total_timeout": 12, "heartbeat": 3, "retry": retry, "max_cost": limit}
    return {name: may[name] for name in draw(st.sets(st.sampled_from(sorted(may))))}


def timer(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """A timer step that may time out."""
    more = {"timeout": 4, "retry": {"max_attempts": 2, "delay": draw(st.integers(0, 2))}} if draw(st.booleans()) else {}
    return {"type": "timer", "duration": draw(st.integers(0, 9)), **more}


def approval(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """People who are asked, and silent at last."""
    more = {"retry": {"max_attempts": 2, "delay": draw(st.integers(0, 2))}} if draw(st.booleans()) else {}
    on_deadline = draw(st.sampled_from(["reject", "approve", "skip"]))
    return {"type": "human_approval", "deadline": draw(st.integers(1, 9)), "on_deadline": on_deadline, **more}


def gateway(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """A gateway to steps that come later; an agent task when there are none."""
    if not later:
        return agent(draw, later)
    targets = draw(st.lists(st.sampled_from(later), min_size=1, max_size=3))
    routes = [{"target": target, "condition": draw(st.sampled_from(["true", "false"]))} for target in targets]
    default = {"default_route": draw(st.sampled_from(later))} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["exclusive", "inclusive", "parallel"]))
    return {"type": "gateway", "gateway_type": kind, "routes": routes, **default}


scripts = st.lists(
    st.tuples(
        st.sampled_from(
            ["ok", "text", "fail", "fire", "accept", "late", "repair", "again", "cancel", "restart", "say"]
        ),
        st.integers(0, 9),
        st.integers(0, 6),
    ),
    max_size=30,
)


class Play:
    """An execution whose worker, agents, operators and clock follow a script, and then bring it to its end.

    Whatever is decided is checked against the laws that hold for single decisions.
    """

    def __init__(self, plan: Plan, at: Callable[[float], Any], script: Script, take: int) -> None:
        self.plan, self.at, self.take, self.seconds = plan, at, take, 0
        self.execution = Execution(UUID(int=1), plan)
        self.events: list[Event] = []
        self.timers: dict[tuple[str, str], Any] = {}
        self.costs = 0
        self.log(start_execution(UUID(int=1), plan, {}, Trigger(), at(0), take))
        for action, choice, seconds in script:
            self.seconds += seconds
            self.act(action, choice)
        for turn in range(400):
            if self.execution.ended_at is not None:
                break
            self.act("ok" if turn % 2 else "due", turn)
        assert self.execution.ended_at is not None, "an execution that does not end"

    def log(self, unfolding: Unfolding) -> None:
        self.events += unfolding.events
        self.execution = unfolding.execution
        for key in unfolding.timers_dropped:
            del self.timers[key]
        self.timers |= unfolding.timers_set
        assert self.timers == self.execution.timers

    def decide(self, decision: Callable[..., Unfolding], *command: Any, repeatable: bool = True, **more: Any) -> None:
        """Carry a command out, and show that carrying it out again appends nothing."""
        cause = self.at(self.seconds)
        try:
            self.log(decision(self.execution, *command, cause=cause, **more))
            if repeatable:
                assert decision(self.execution, *command, cause=cause, **more).events == []
        except Refusal:
            return

    def act(self, action: str, choice: int) -> None:
        states = self.execution.steps
        with_agent = [step for step, state in states.items() if state.status in ("started", "accepted")]
        queued = [step for step, state in states.items() if state.status == "scheduled"]
        timers = list(self.execution.timers)
        reached = list(states)
        if action == "restart":
            self.execution = fold(Execution(self.execution.id, self.plan), self.events)
        elif action == "cancel" and choice == 0:
            self.decide(cancel_execution, "script")
        elif action == "repair" and reached:
            repair = [retry_step, skip_step, reassign_step][choice % 3]
            agent = ("other",) if repair is reassign_step else ()
            self.decide(repair, reached[choice % len(reached)], *agent, "script", repeatable=False)
        elif action == "again":
            self.decide(retry_execution, "script", repeatable=False, take=self.take)
        elif action in ("fire", "due") and timers and not (action == "due" and (queued or with_agent)):
            step, kind = (
                min(timers, key=self.execution.timers.__getitem__) if action == "due" else timers[choice % len(timers)]
            )
            if action == "due":
                self.seconds = max(
                    self.seconds, -(-(self.execution.timers[step, kind] - self.at(0).at) // timedelta(seconds=1))
                )
            self.decide(fire_timer, step, kind, take=self.take)
            if choice == 9:
                self.decide(fire_timer_early, step, kind, "script", take=self.take, repeatable=False)
        elif action == "say" and reached:
            step = reached[choice % len(reached)]
            verdict = ["granted", "refused", "changes_requested"][choice % 3]
            self.decide(decide_approval, step, states[step].attempt, "user:ann", verdict, "", take=self.take)
        elif action == "late" and reached:
            self.answer(reached[choice % len(reached)], 1, "ok")
        elif queued:
            step = queued[choice % len(queued)]
            self.decide(start_step, step, states[step].attempt, repeatable=False)
        elif with_agent:
            step = with_agent[choice % len(with_agent)]
            self.answer(step, states[step].attempt, action)

    def answer(self, step: str, attempt: int, action: str) -> None:
        before = len(self.events)
        if action == "accept":
            self.decide(accept_step, step, attempt)
        elif action == "fail":
            self.decide(fail_step, step, attempt, StepError("agent_error", "script"), cost=CENT, take=self.take)
        else:
            output = "text" if action == "text" else attempt + 1
            self.decide(complete_step, step, attempt, output, cost=CENT, take=self.take)
        answers = (StepCompleted, StepFailed, StepAnswerIgnored)
        self.costs += any(isinstance(event, answers) for event in self.events[before:])


@pytest.fixture(scope="session")
def play(plan_of: Any, at: Any) -> Callable[..., Play]:
    """play(process, script, take): a played execution."""
    return lambda process, script, take: Play(plan_of(process[0], **process[1]), at, script, take)


@given(processes(), scripts, st.integers(0, 3))
def test_every_execution_ends_and_nothing_but_late_answers_follows_its_end(play, process, script, take):
    ended = False
    for event in play(process, script, take).events:
        if isinstance(event, ExecutionRetried):
            ended = False
        assert not ended or isinstance(event, StepAnswerIgnored | CostRecorded)
        ended = ended or isinstance(event, ExecutionEnded)
    assert ended


@given(processes(), scripts, st.integers(0, 3))
def test_every_attempt_has_exactly_one_end_and_attempts_are_counted_one_by_one(play, process, script, take):
    events = play(process, script, take).events
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


@given(processes(), scripts, st.integers(0, 3))
def test_a_step_is_reached_when_all_that_may_lead_to_it_has_ended_and_some_does(play, leads, process, script, take):
    played = play(process, script, take)
    for seen, event in firsts(played.events):
        step = played.plan.steps[event.step]
        leading = [leads(played.plan, seen, source, step.id) for source in step.incoming]
        assert None not in leading, f"{step.id} did not wait"
        not_taken = isinstance(event, StepSkipped) and event.reason == "branch_not_taken"
        assert not_taken is (bool(leading) and not any(leading))


@given(processes(), scripts, st.integers(0, 3))
def test_replaying_the_log_gives_the_same_state(play, process, script, take):
    played = play(process, script, take)
    new = Execution(UUID(int=1), played.plan)
    assert fold(new, played.events) == played.execution
    assert played.execution.version == len(played.events)
    for cut in range(0, len(played.events), 3):
        assert fold(fold(new, played.events[:cut]), played.events[cut:]) == played.execution


@given(processes(), scripts, st.integers(0, 3))
def test_every_answer_is_paid_for_once_and_the_steps_cost_what_the_execution_does(play, process, script, take):
    played = play(process, script, take)
    booked = [event.cost for event in played.events if isinstance(event, CostRecorded)]
    of_steps = [cost for state in played.execution.steps.values() for cost in state.costs]
    assert len(booked) == len(of_steps) == played.costs
    assert sum(cost.amount for cost in booked) == sum(cost.amount for cost in of_steps)


@given(processes(), scripts, st.integers(0, 3))
def test_an_execution_that_has_ended_waits_for_nothing(play, process, script, take):
    execution = play(process, script, take).execution
    assert execution.timers == {}
    assert {state.status for state in execution.steps.values()} <= CLOSED
    if execution.status == "completed":
        assert set(execution.steps) == set(execution.plan.steps)
        assert execution.open == 0
        assert not any(execution.waiting.values())


def firsts(events: list[Event]) -> Iterator[tuple[list[Event], Any]]:
    """The event with which each step was first reached or passed over, and all that happened before."""
    known: set[str] = set()
    for n, event in enumerate(events):
        if isinstance(event, (*REACHED, StepSkipped, StepFailed)) and event.step not in known:
            known.add(event.step)
            yield events[:n], event
