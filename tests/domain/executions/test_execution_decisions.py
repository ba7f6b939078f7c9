"""Given what happened, when a command comes, then these events."""

from decimal import Decimal

import pytest

from domain.agents.calls import StepError, Usage
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.refusals import ExecutionEndedAlready, StepNotRunning
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed
from domain.executions.events.step import StepFailed, StepScheduled
from domain.money import Money
from domain.refusal import NotFound
from tests.scenario import names

BROKEN = StepError("agent_error", "no")


def test_starting_schedules_every_step_that_waits_for_nothing(begin):
    run = begin({"a": [], "b": [], "c": ["a", "b"]}, take=0)
    assert names(run.events) == ["ExecutionStarted", "StepScheduled(a)", "StepScheduled(b)"]


def test_a_worker_that_starts_or_completes_takes_as_many_as_it_may(begin):
    run = begin({"a": [], "b": []}, take=1)
    assert names(run.events) == ["ExecutionStarted", "StepScheduled(a)", "StepStarted(a)", "StepScheduled(b)"]
    assert run.taken == ["a"]


def test_completing_a_step_schedules_the_next_in_the_same_decision(begin):
    run = begin({"a": [], "b": ["a"]})
    run.when(complete_step, "a", 1, "done", after=3, take=1).then(
        "StepCompleted(a)", "StepScheduled(b)", "StepStarted(b)"
    )
    assert run.taken == ["b"]


def test_a_join_waits_for_all_and_runs_once(begin):
    run = begin({"a": [], "b": [], "c": ["a", "b"]})
    run.when(complete_step, "b", 1, 1, after=1).then("StepCompleted(b)")
    run.when(complete_step, "a", 1, 1, after=2).then("StepCompleted(a)", "StepScheduled(c)")


def test_the_last_answer_completes_the_execution_with_its_outputs(begin, at):
    run = begin({"a": []}, outputs={"answer": "{{ steps.a.output.n }}", "said": "n is {{ steps.a.output.n }}"})
    run.given(complete_step, "a", 1, {"n": 3}, after=5)
    assert isinstance(run.events[-1], ExecutionCompleted)
    assert run.events[-1].outputs == {"answer": 3, "said": "n is 3"}
    assert run.events[-1].started_at == at(0).at


def test_a_false_condition_skips_the_step_and_what_follows_goes_on(begin):
    run = begin(
        {"a": [], "b": ["a"], "c": ["b"]},
        b={"condition": "steps.a.output > 10"},
        c={"message": "{{ steps.b.output || 'nothing' }}"},
    )
    run.when(complete_step, "a", 1, 3, after=1).then("StepCompleted(a)", "StepSkipped(b)", "StepScheduled(c)")
    assert run.last(StepScheduled).message == "nothing"


def test_an_execution_whose_steps_are_all_skipped_completes_at_once(begin):
    run = begin({"a": [], "b": ["a"]}, a={"condition": "false"}, b={"condition": False})
    assert names(run.events) == ["ExecutionStarted", "StepSkipped(a)", "StepSkipped(b)", "ExecutionCompleted"]


def test_a_step_gets_its_message_and_parameters_with_their_types(begin):
    parameters = {"n": "{{ steps.a.output.n }}", "list": ["{{ input.x }}"]}
    run = begin({"a": [], "b": ["a"]}, given={"x": True}, b={"parameters": parameters})
    run.given(complete_step, "a", 1, {"n": 4}, after=1)
    assert isinstance(run.events[-1], StepScheduled)
    assert run.events[-1].parameters == {"n": 4, "list": [True]}


def test_an_expression_that_cannot_be_worked_out_fails_the_step_and_the_execution(begin):
    run = begin({"a": [], "b": ["a"]}, b={"condition": "steps.a.output > 10"})
    run.when(complete_step, "a", 1, "text", after=1).then("StepCompleted(a)", "StepFailed(b)", "ExecutionFailed(b)")
    assert run.last(ExecutionFailed).error.code == "type_mismatch"


def test_an_output_that_cannot_be_worked_out_fails_the_execution(begin):
    run = begin({"a": []}, outputs={"x": "{{ steps.a.output.nowhere }}"})
    run.when(complete_step, "a", 1, {}, after=1).then("StepCompleted(a)", "ExecutionFailed")


def test_a_failed_step_fails_the_execution_and_gives_up_what_is_under_way(begin):
    run = begin({"a": [], "b": [], "c": ["a", "b"]}, take=1)
    run.when(fail_step, "a", 1, BROKEN, after=1).then("StepFailed(a)", "StepCancelled(b)", "ExecutionFailed(a)")


def test_an_answer_that_does_not_meet_the_schema_fails_the_step(begin):
    run = begin({"a": []}, a={"output_schema": {"type": "object", "required": ["n"]}})
    run.when(complete_step, "a", 1, {"m": 1}, after=1).then("StepFailed(a)", "ExecutionFailed(a)")
    assert run.last(StepFailed).error.code == "output_schema_mismatch"


@pytest.mark.parametrize(("decide", "answer"), [(complete_step, None), (fail_step, BROKEN)])
def test_what_an_attempt_used_is_recorded_exactly_even_when_it_failed(begin, decide, answer):
    usage, cost = Usage(input_tokens=5), Money(Decimal("0.00000490"), "USD")
    recorded = begin({"a": []}).when(decide, "a", 1, answer, after=1, usage=usage, cost=cost).events[0]
    assert isinstance(recorded, CostRecorded)
    assert (recorded.usage, recorded.cost, recorded.agent) == (usage, cost, "echo")


def test_the_cost_of_a_step_is_visible_to_what_follows(begin):
    run = begin({"a": [], "b": ["a"]}, b={"condition": "steps.a.cost > 0.004"})
    run.given(complete_step, "a", 1, None, after=1, cost=Money(Decimal("0.0049"), "USD"))
    assert names(run.events)[-1] == "StepScheduled(b)"


def test_a_repeated_answer_appends_nothing(begin):
    run = begin({"a": [], "b": ["a"]}).given(complete_step, "a", 1, 1, after=1)
    run.when(complete_step, "a", 1, 1, after=2).then()
    run.when(fail_step, "a", 1, BROKEN, after=2).then()
    run.when(accept_step, "a", 1, after=2).then()


def test_an_answer_to_an_attempt_that_never_began_is_refused(begin):
    run = begin({"a": [], "b": ["a"]})
    for step, attempt in (("a", 2), ("a", 0), ("b", 1)):
        run.when(complete_step, step, attempt, 1, after=1).then(StepNotRunning)
    run.when(complete_step, "z", 1, 1, after=1).then(NotFound)


def test_an_answer_to_an_attempt_nobody_has_taken_is_refused(begin):
    begin({"a": []}, take=0).when(complete_step, "a", 1, 1, after=1).then(StepNotRunning)


def test_an_agent_may_take_the_work_and_answer_later(begin):
    run = begin({"a": []})
    run.when(accept_step, "a", 1, after=1).then("StepAccepted(a)")
    run.when(start_step, "a", 1, after=2).then()
    run.when(complete_step, "a", 1, 1, after=3).then("StepCompleted(a)", "ExecutionCompleted")


def test_a_step_whose_worker_was_lost_is_reclaimed_under_the_same_attempt(begin):
    run = begin({"a": []})
    run.when(start_step, "a", 1, after=9).then("StepReclaimed(a)")
    assert run.taken == ["a"]
    assert run.execution.steps["a"].attempt == 1


def test_cancelling_gives_up_what_is_under_way_and_cancelling_again_is_nothing(begin):
    run = begin({"a": [], "b": [], "c": ["a"]}, take=1)
    run.when(cancel_execution, "enough", after=1).then("StepCancelled(a)", "StepCancelled(b)", "ExecutionCancelled")
    run.when(cancel_execution, "enough", after=2).then()
    run.when(fail_step, "b", 1, BROKEN, after=3).then()
    run.when(start_step, "b", 1, after=3).then()


def test_what_has_ended_cannot_be_cancelled(begin):
    run = begin({"a": []}).given(complete_step, "a", 1, None, after=2)
    run.when(cancel_execution, "late", after=9).refusal(ExecutionEndedAlready, match="completed")


def test_a_decision_leaves_the_state_it_was_taken_on_alone(begin, at):
    execution = begin({"a": [], "b": ["a"]}).execution
    before = (execution.version, dict(execution.steps), dict(execution.waiting), execution.open, execution.status)
    complete_step(execution, "a", 1, 1, at(1))
    fail_step(execution, "a", 1, BROKEN, at(1))
    cancel_execution(execution, "x", at(1))
    assert before == (execution.version, execution.steps, execution.waiting, execution.open, execution.status)


def test_every_event_says_when_who_and_why(begin, at):
    events = begin({"a": [], "b": []}, take=2).events
    assert all((e.at, e.actor, e.causation) == (at(0).at, "user:test", "test") for e in events)
