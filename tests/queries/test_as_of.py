"""An execution as it was: what its own stream says at a point is what the read models showed there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.agents.calls import StepError, Usage
from domain.event import Cause
from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer_early
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.execution import Trigger
from domain.executions.events.outcomes import UNDER_WAY
from domain.executions.state.model import Execution
from domain.identity import new_id, process_id
from domain.language import load_definition
from domain.money import Money
from domain.processes.plan import compile_plan
from domain.refusal import NotFound, Refusal
from projections.tables import create_read_tables
from queries.differences import get_difference
from queries.executions import AWAITED_KINDS, ExecutionDetail, ExecutionFilter, list_executions
from store.datastore import Datastore
from tests.queries.shown import BEGIN, Shown, at, comparable

PROCESS = process_id("p")
DEFINITION: dict[str, Any] = {
    "name": "p",
    "steps": [
        {
            "id": "ask",
            "type": "agent_task",
            "name": "Ask",
            "agent": "echo",
            "message": "hello",
            "timeout": "5s",
            "retry": {"max_attempts": 2, "delay": "3s"},
            "on_timeout": "skip",
        },
        {"id": "wait", "type": "timer", "duration": "9s", "timeout": "4s", "retry": {"max_attempts": 2}},
        {"id": "sign", "type": "human_approval", "description": "?", "deadline": "6s", "retry": {"max_attempts": 2}},
        {
            "id": "choose",
            "type": "gateway",
            "gateway_type": "exclusive",
            "depends_on": ["ask"],
            "routes": [{"condition": "(steps.ask.output || 0) > 1", "target": "more"}],
            "default_route": "less",
        },
        {
            "id": "more",
            "type": "agent_task",
            "agent": "echo",
            "message": "{{ steps.ask.output }}",
            "on_error": "skip_step",
        },
        {"id": "less", "type": "agent_task", "agent": "echo", "message": "less", "on_error": {"goto_step": "last"}},
        {
            "id": "last",
            "type": "agent_task",
            "agent": "echo",
            "message": "{{ steps.less.output + 1 }}",
            "depends_on": ["more", "less"],
        },
    ],
    "outputs": [{"name": "answer", "source": "{{ steps.ask.output || 0 }}"}],
}
PLAN = compile_plan(load_definition(DEFINITION), PROCESS, 1)
ACTIONS = [
    "ok",
    "ok",
    "ok",
    "text",
    "fail",
    "fire",
    "accept",
    "granted",
    "refused",
    "retry",
    "skip",
    "reassign",
    "again",
    "cancel",
]
SCRIPTS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), max_size=16)


class Played(Shown):
    """Executions of the process, run by scripts."""

    def started(self) -> Execution:
        """An execution that has just begun."""
        unfolding = start_execution(new_id(), PLAN, {"n": 1}, Trigger(payload=[1]), at(0))
        return self.decide(Execution(unfolding.execution.id, PLAN), unfolding)

    def play(self, script: list[tuple[str, int]]) -> list[ExecutionDetail]:
        """Run an execution by a script; what was shown after each append."""
        execution = self.started()
        views = [self.now(execution.id)]
        for seconds, (action, choice) in enumerate(script, 1):
            try:
                execution = self.decide(execution, act(execution, action, choice, at(seconds)))
            except Refusal:
                continue
            views.append(self.now(execution.id))
        return views


def act(execution: Execution, action: str, choice: int, cause: Cause) -> Unfolding:
    """What somebody does next to one of the steps reached."""
    under_way = [step for step, state in execution.steps.items() if state.status in UNDER_WAY]
    repairs_any = action in ("retry", "skip", "reassign")
    steps = list(execution.steps) if repairs_any or not under_way else under_way
    step = steps[choice % len(steps)]
    state, timers = execution.steps[step], list(execution.timers)
    repairs: dict[str, Callable[[], Unfolding]] = {
        "retry": lambda: retry_step(execution, step, "why", cause),
        "skip": lambda: skip_step(execution, step, "why", cause),
        "reassign": lambda: reassign_step(execution, step, f"agent{choice}", "why", cause),
        "again": lambda: retry_execution(execution, "why", cause),
        "cancel": lambda: cancel_execution(execution, "why", cause),
        "granted": lambda: decide_approval(execution, "sign", 1 + choice % 2, "user:ann", "granted", "why", cause),
        "refused": lambda: decide_approval(execution, "sign", 1 + choice % 2, "user:ann", "refused", "why", cause),
    }
    if action in repairs:
        return repairs[action]()
    if action == "fire" and timers:
        return fire_timer_early(execution, *timers[choice % len(timers)], "why", cause)
    if state.status == "scheduled":
        return start_step(execution, step, state.attempt, cause)
    if action == "accept":
        return accept_step(execution, step, state.attempt, cause)
    cost = Money(Decimal("0.10") * choice, "USD" if choice % 2 else "EUR") if choice else None
    used: dict[str, Any] = {"usage": Usage(choice, 1), "cost": cost}
    if action == "fail":
        return fail_step(execution, step, state.attempt, StepError("agent_error", "no"), cause, **used)
    return complete_step(execution, step, state.attempt, "text" if action == "text" else choice, cause, **used)


@pytest.fixture
def shown(datastore: Datastore, read_tables: Datastore) -> Iterator[Played]:
    with datastore.reading() as connection:
        create_read_tables(connection)
    made = Played(datastore, DEFINITION)
    yield made
    made.close()


FAILED_TWICE = [("ok", 0), ("fail", 0), ("fire", 3), ("ok", 0), ("fail", 0)]


@settings(max_examples=60)
@example(script=[*FAILED_TWICE, ("again", 0), ("ok", 0), ("ok", 0), ("ok", 2)])
@example(script=[*FAILED_TWICE, ("skip", 0), ("cancel", 0)])
@given(script=SCRIPTS)
def test_at_every_position_it_is_what_the_read_model_showed_there(shown: Played, script: list[tuple[str, int]]) -> None:
    for view in shown.play(script):
        assert comparable(shown.then(view.execution_id, view.position)) == comparable(view)
    [listed] = list_executions(shown.reading, ExecutionFilter(roots=[view.execution_id])).items
    assert (listed.waiting_for, listed.waiting_count) == (view.waiting_for, len(view.waiting_for))
    for kind in AWAITED_KINDS:
        requested = ExecutionFilter(roots=[view.execution_id], waiting_for=[kind])
        found = list_executions(shown.reading, requested).items
        assert bool(found) == any(wait.kind == kind for wait in view.waiting_for)


SCRIPT = [("ok", 0), ("fail", 0), ("fire", 3), ("ok", 0), ("ok", 0)]


def test_an_instant_is_up_to_and_including_what_happened_then(shown: Played) -> None:
    views = shown.play(SCRIPT)
    for seconds, view in enumerate(views):
        then = shown.then(view.execution_id, at(seconds).at)
        assert comparable(then) == comparable(view)
        assert then.as_of == at(seconds).at
        assert shown.then(view.execution_id, at(seconds + 1).at - timedelta(microseconds=1)).position == view.position


def test_a_point_says_what_was_asked_and_how_far_the_log_is(shown: Played) -> None:
    first, *_, last = shown.play(SCRIPT)
    then = shown.then(first.execution_id, first.position)
    assert (then.as_of, then.position, then.as_of_position) == (first.position, first.position, last.position)
    to_come = shown.then(first.execution_id, last.position + 100)
    assert (to_come.as_of_position, comparable(to_come)) == (last.position, comparable(last))


def test_before_the_start_there_is_no_execution(shown: Played) -> None:
    execution = shown.started()
    begun = shown.now(execution.id).position - execution.version
    for point in (0, begun, BEGIN - timedelta(microseconds=1)):
        with pytest.raises(NotFound, match="had not started"):
            shown.then(execution.id, point)
    for stream in (PROCESS, UUID(int=1)):
        with pytest.raises(NotFound, match="there is no execution"):
            shown.then(stream, begun)


def test_nothing_but_what_changed_is_in_a_difference(shown: Played) -> None:
    first, started, failed, *_ = views = shown.play([*SCRIPT, ("cancel", 0)])
    id = first.execution_id

    def changed(before: ExecutionDetail, after: ExecutionDetail) -> Any:
        found = get_difference(shown.reading, shown.definitions, id, before.position, after.position)
        told = msgspec.json.decode(msgspec.json.encode(found))
        assert (told["from"], told["to"]) == (before.position, after.position)
        return told["changed"], {step["id"]: step["changed"] for step in told["steps"]}

    assert changed(started, started) == ({}, {})
    of_execution, of_steps = changed(first, started)
    assert set(of_execution) == {"timers"}  # the agent was awaited before, and is
    assert of_steps == {"ask": {"status": {"before": "scheduled", "after": "started"}}}
    _, of_steps = changed(started, failed)
    assert of_steps["ask"]["status"] == {"before": "started", "after": "retrying"}
    assert of_steps["ask"]["error"]["after"]["code"] == "agent_error"
    of_execution, of_steps = changed(first, views[-1])
    assert of_execution["status"] == {"before": "running", "after": "cancelled"}
    assert of_execution["cancel_reason"] == {"before": None, "after": "why"}
    back, _ = changed(views[-1], first)
    assert back["status"] == {"before": "cancelled", "after": "running"}


@pytest.mark.parametrize(
    ("spent", "changed"),
    [
        (3, {"cost": {"before": [], "after": [{"amount": "0.30", "currency": "USD"}]}}),
        (0, {"unpriced": {"before": 0, "after": 1}}),
    ],
)
def test_a_difference_tells_what_was_spent_meanwhile(shown: Played, spent: int, changed: dict[str, Any]) -> None:
    _, before, after = shown.play([("ok", 0), ("fail", spent)])
    id, points = before.execution_id, (before.position, after.position)
    told = msgspec.json.decode(msgspec.json.encode(get_difference(shown.reading, shown.definitions, id, *points)))
    told["changed"].pop("timers")
    assert told["changed"].pop("waiting_for")["after"][-1]["kind"] == "retry"
    assert told["changed"] == changed
