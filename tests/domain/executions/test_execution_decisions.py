"""Given what happened, when a command comes, then these events."""

from decimal import Decimal
from uuid import UUID

import pytest

from domain.agents.calls import StepError, Usage
from domain.event import Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.refusals import ExecutionEndedAlready, StepNotRunning
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed, Trigger
from domain.executions.events.step import StepScheduled
from domain.executions.state.model import Execution
from domain.money import Money
from domain.processes.plan import Plan
from domain.refusal import NotFound

ID = UUID(int=1)


def names(unfolding: Unfolding) -> list[str]:
    return [
        f"{type(e).__name__}({e.step})" if hasattr(e, "step") and e.step else type(e).__name__ for e in unfolding.events
    ]


def started(plan: Plan, at, take: int = 0, given: dict | None = None) -> Unfolding:
    return start_execution(ID, plan, given or {}, Trigger(), at(0), take)


def completed(execution: Execution, *steps: str, at, output: object = None) -> Execution:
    for step in steps:
        execution = start_step(execution, step, 1, at(1)).execution
        execution = complete_step(execution, step, 1, output, at(2)).execution
    return execution


def test_starting_schedules_every_step_that_waits_for_nothing(plan_of, at):
    assert names(started(plan_of({"a": [], "b": [], "c": ["a", "b"]}), at)) == [
        "ExecutionStarted",
        "StepScheduled(a)",
        "StepScheduled(b)",
    ]


def test_a_worker_that_starts_or_completes_takes_as_many_as_it_may(plan_of, at):
    unfolding = started(plan_of({"a": [], "b": []}), at, take=1)
    assert names(unfolding) == ["ExecutionStarted", "StepScheduled(a)", "StepStarted(a)", "StepScheduled(b)"]
    assert unfolding.taken == ["a"]


def test_completing_a_step_schedules_the_next_in_the_same_decision(plan_of, at):
    execution = started(plan_of({"a": [], "b": ["a"]}), at, take=1).execution
    unfolding = complete_step(execution, "a", 1, "done", at(3), take=1)
    assert names(unfolding) == ["StepCompleted(a)", "StepScheduled(b)", "StepStarted(b)"]
    assert unfolding.taken == ["b"]


def test_a_join_waits_for_all_and_runs_once(plan_of, at):
    execution = started(plan_of({"a": [], "b": [], "c": ["a", "b"]}), at, take=2).execution
    first = complete_step(execution, "b", 1, 1, at(1))
    assert names(first) == ["StepCompleted(b)"]
    assert names(complete_step(first.execution, "a", 1, 1, at(2))) == ["StepCompleted(a)", "StepScheduled(c)"]


def test_the_last_answer_completes_the_execution_with_its_outputs(plan_of, at):
    plan = plan_of({"a": []}, outputs={"answer": "{{ steps.a.output.n }}", "said": "n is {{ steps.a.output.n }}"})
    unfolding = complete_step(started(plan, at, take=1).execution, "a", 1, {"n": 3}, at(5))
    ended = unfolding.events[-1]
    assert isinstance(ended, ExecutionCompleted)
    assert ended.outputs == {"answer": 3, "said": "n is 3"}
    assert ended.started_at == at(0).at


def test_a_false_condition_skips_the_step_and_what_follows_goes_on(plan_of, at):
    plan = plan_of(
        {"a": [], "b": ["a"], "c": ["b"]},
        b={"condition": "steps.a.output > 10"},
        c={"message": "{{ steps.b.output || 'nothing' }}"},
    )
    unfolding = complete_step(started(plan, at, take=1).execution, "a", 1, 3, at(1))
    assert names(unfolding) == ["StepCompleted(a)", "StepSkipped(b)", "StepScheduled(c)"]
    scheduled = unfolding.events[-1]
    assert isinstance(scheduled, StepScheduled)
    assert scheduled.message == "nothing"


def test_an_execution_whose_steps_are_all_skipped_completes_at_once(plan_of, at):
    plan = plan_of({"a": [], "b": ["a"]}, a={"condition": "false"}, b={"condition": False})
    assert names(started(plan, at)) == ["ExecutionStarted", "StepSkipped(a)", "StepSkipped(b)", "ExecutionCompleted"]


def test_a_step_gets_its_message_and_parameters_with_their_types(plan_of, at):
    plan = plan_of({"a": [], "b": ["a"]}, b={"parameters": {"n": "{{ steps.a.output.n }}", "list": ["{{ input.x }}"]}})
    execution = started(plan, at, take=1, given={"x": True}).execution
    scheduled = complete_step(execution, "a", 1, {"n": 4}, at(1)).events[-1]
    assert isinstance(scheduled, StepScheduled)
    assert scheduled.parameters == {"n": 4, "list": [True]}


def test_an_expression_that_cannot_be_worked_out_fails_the_step_and_the_execution(plan_of, at):
    plan = plan_of({"a": [], "b": ["a"]}, b={"condition": "steps.a.output > 10"})
    unfolding = complete_step(started(plan, at, take=1).execution, "a", 1, "text", at(1))
    assert names(unfolding) == ["StepCompleted(a)", "StepFailed(b)", "ExecutionFailed(b)"]
    failed = unfolding.events[-1]
    assert isinstance(failed, ExecutionFailed)
    assert failed.error.code == "type_mismatch"


def test_an_output_that_cannot_be_worked_out_fails_the_execution(plan_of, at):
    plan = plan_of({"a": []}, outputs={"x": "{{ steps.a.output.nowhere }}"})
    unfolding = complete_step(started(plan, at, take=1).execution, "a", 1, {}, at(1))
    assert names(unfolding) == ["StepCompleted(a)", "ExecutionFailed"]


def test_a_failed_step_fails_the_execution_and_gives_up_what_is_under_way(plan_of, at):
    execution = started(plan_of({"a": [], "b": [], "c": ["a", "b"]}), at, take=1).execution
    unfolding = fail_step(execution, "a", 1, StepError("agent_error", "no"), at(1))
    assert names(unfolding) == ["StepFailed(a)", "StepCancelled(b)", "ExecutionFailed(a)"]


def test_an_answer_that_does_not_meet_the_schema_fails_the_step(plan_of, at):
    plan = plan_of({"a": []}, a={"output_schema": {"type": "object", "required": ["n"]}})
    unfolding = complete_step(started(plan, at, take=1).execution, "a", 1, {"m": 1}, at(1))
    assert names(unfolding) == ["StepFailed(a)", "ExecutionFailed(a)"]
    assert unfolding.events[0].error.code == "output_schema_mismatch"


def test_what_an_attempt_used_is_recorded_exactly_even_when_it_failed(plan_of, at):
    execution = started(plan_of({"a": []}), at, take=1).execution
    usage, cost = Usage(input_tokens=5), Money(Decimal("0.00000490"), "USD")
    for unfolding in (
        complete_step(execution, "a", 1, None, at(1), usage=usage, cost=cost),
        fail_step(execution, "a", 1, StepError("x", "y"), at(1), usage=usage, cost=cost),
    ):
        recorded = unfolding.events[0]
        assert isinstance(recorded, CostRecorded)
        assert (recorded.usage, recorded.cost, recorded.agent) == (usage, cost, "echo")


def test_the_cost_of_a_step_is_visible_to_what_follows(plan_of, at):
    plan = plan_of({"a": [], "b": ["a"]}, b={"condition": "steps.a.cost > 0.004"})
    execution = started(plan, at, take=1).execution
    unfolding = complete_step(execution, "a", 1, None, at(1), cost=Money(Decimal("0.0049"), "USD"))
    assert names(unfolding)[-1] == "StepScheduled(b)"


def test_a_repeated_answer_appends_nothing(plan_of, at):
    execution = started(plan_of({"a": [], "b": ["a"]}), at, take=1).execution
    once = complete_step(execution, "a", 1, 1, at(1)).execution
    assert complete_step(once, "a", 1, 1, at(2)).events == []
    assert fail_step(once, "a", 1, StepError("x", "y"), at(2)).events == []
    assert accept_step(once, "a", 1, at(2)).events == []


def test_an_answer_to_an_attempt_that_never_began_is_refused(plan_of, at):
    execution = started(plan_of({"a": [], "b": ["a"]}), at, take=1).execution
    for step, attempt in (("a", 2), ("a", 0), ("b", 1)):
        with pytest.raises(StepNotRunning):
            complete_step(execution, step, attempt, 1, at(1))
    with pytest.raises(NotFound):
        complete_step(execution, "z", 1, 1, at(1))


def test_an_answer_to_an_attempt_nobody_has_taken_is_refused(plan_of, at):
    with pytest.raises(StepNotRunning):
        complete_step(started(plan_of({"a": []}), at).execution, "a", 1, 1, at(1))


def test_an_agent_may_take_the_work_and_answer_later(plan_of, at):
    execution = started(plan_of({"a": []}), at, take=1).execution
    accepted = accept_step(execution, "a", 1, at(1))
    assert names(accepted) == ["StepAccepted(a)"]
    assert start_step(accepted.execution, "a", 1, at(2)).events == []
    assert names(complete_step(accepted.execution, "a", 1, 1, at(3))) == ["StepCompleted(a)", "ExecutionCompleted"]


def test_a_step_whose_worker_was_lost_is_reclaimed_under_the_same_attempt(plan_of, at):
    execution = started(plan_of({"a": []}), at, take=1).execution
    reclaimed = start_step(execution, "a", 1, at(9))
    assert names(reclaimed) == ["StepReclaimed(a)"]
    assert reclaimed.taken == ["a"]
    assert reclaimed.execution.steps["a"].attempt == 1


def test_cancelling_gives_up_what_is_under_way_and_cancelling_again_is_nothing(plan_of, at):
    execution = started(plan_of({"a": [], "b": [], "c": ["a"]}), at, take=1).execution
    cancelled = cancel_execution(execution, "enough", at(1))
    assert names(cancelled) == ["StepCancelled(a)", "StepCancelled(b)", "ExecutionCancelled"]
    assert cancel_execution(cancelled.execution, "enough", at(2)).events == []
    assert fail_step(cancelled.execution, "b", 1, StepError("x", "y"), at(3)).events == []
    assert start_step(cancelled.execution, "b", 1, at(3)).events == []


def test_what_has_ended_cannot_be_cancelled(plan_of, at):
    execution = completed(started(plan_of({"a": []}), at).execution, "a", at=at)
    with pytest.raises(ExecutionEndedAlready, match="completed"):
        cancel_execution(execution, "late", at(9))


def test_a_decision_leaves_the_state_it_was_taken_on_alone(plan_of, at):
    execution = started(plan_of({"a": [], "b": ["a"]}), at, take=1).execution
    before = (execution.version, dict(execution.steps), dict(execution.waiting), execution.open, execution.status)
    complete_step(execution, "a", 1, 1, at(1))
    fail_step(execution, "a", 1, StepError("x", "y"), at(1))
    cancel_execution(execution, "x", at(1))
    assert before == (execution.version, execution.steps, execution.waiting, execution.open, execution.status)


def test_every_event_says_when_who_and_why(plan_of, at):
    events: list[Event] = completed_events(plan_of, at)
    assert all((e.at, e.actor, e.causation) == (at(0).at, "user:test", "test") for e in events)


def completed_events(plan_of, at) -> list[Event]:
    return started(plan_of({"a": [], "b": []}), at, take=2).events
