"""What operators, late answers and timers can do while what was done is undone, and after that."""

from domain.agents.calls import Usage
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.compensation import CompensationFailed
from domain.executions.events.step import StepAnswerIgnored, StepCancelled, StepScheduled
from tests.domain.executions.compensating import BUSY, CHAIN, completed, failing, started, undo
from tests.scenario import refused


def test_what_fails_while_being_undone_cannot_be_cancelled(begin):
    run = failing(begin, a=undo())
    run.when(cancel_execution, "enough", after=3).then(refused("execution_ended"))


def test_what_operators_left_out_is_not_undone(begin):
    run = begin(CHAIN, a=undo(), b=undo())
    run.given(skip_step, "a", "no need", after=1, take=1)
    completed(run, "b")
    run.given(fail_step, "c", 1, BUSY, after=2, take=1)
    run.given(complete_step, "b.compensation", 1, 1, after=3)
    assert (started(run), run.execution.status) == (["b"], "failed")


def test_no_timer_of_the_steps_that_were_given_up_goes_on(begin):
    retry = {"max_attempts": 3, "delay": 10}
    graph = {"a": [], "b": [], "c": [], "d": []}
    run = begin(graph, a=undo(), b={"retry": retry, "total_timeout": 60}, c={"total_timeout": 60}, d={"timeout": 30})
    completed(run, "a")
    run.given(fail_step, "b", 1, BUSY, after=1)
    run.given(fail_step, "c", 1, BUSY, after=2, take=1)
    assert (run.execution.status, run.timers) == ("compensating", {})
    run.when(fire_timer, "b", "retry", after=11).then()
    run.when(fire_timer, "c", "total_timeout", after=60).then()


def test_a_retried_execution_that_fails_at_once_begins_nothing_more(begin):
    wait = {"type": "timer", "until": "2026-01-01T13:00:00Z"} | undo()
    fails_later = {"message": "{{ (steps.wait.completed_at || 1) + 1 }}"}
    run = begin({"wait": [], "b": [], "c": []}, wait=wait, b=fails_later)
    run.given(fail_step, "c", 1, BUSY, after=1)
    assert run.execution.status == "failed"
    run.when(retry_execution, "again", after=7200).then(
        "ExecutionRetried",
        "TimerStarted(wait)",
        "TimerFired(wait)",
        "StepCompleted(wait)",
        "StepFailed(b)",
        "StepCancelled(c)",
        "CompensationRequired(b)",
        "CompensationStarted(wait)",
        "StepScheduled(wait.compensation)",
    )


def test_what_has_been_undone_cannot_go_on(begin):
    run = failing(begin, a=undo())
    for repair in (retry_execution, retry_step, skip_step):
        step = () if repair is retry_execution else ("c",)
        code = "execution_not_failed" if repair is retry_execution else "step_ended"
        run.when(repair, *step, "again", after=3).then(refused(code))
    run.given(complete_step, "a.compensation", 1, 1, after=4)
    run.when(retry_execution, "again", after=5).then(refused("execution_compensated"))
    run.when(retry_step, "c", "again", after=5).then(refused("execution_compensated"))
    run.when(skip_step, "c", "again", after=5).then(refused("execution_compensated"))
    run.when(reassign_step, "c", "other", "again", after=5).then(refused("execution_compensated"))


def test_an_execution_that_failed_with_nothing_to_undo_may_go_on_and_undo_later(begin):
    run = begin({"a": [], "b": ["a"]}, a=undo())
    run.given(fail_step, "a", 1, BUSY, after=1)
    run.given(retry_execution, "again", after=2, take=1)
    run.given(complete_step, "a", 2, 1, after=3, take=1)
    run.given(fail_step, "b", 1, BUSY, after=4)
    assert (started(run), run.execution.status) == (["a"], "compensating")


def test_answers_to_what_was_given_up_are_noted_and_paid_for(begin):
    run = begin({"a": [], "b": [], "c": []}, a=undo())
    completed(run, "a")
    run.given(fail_step, "c", 1, BUSY, after=2)
    assert run.last(StepCancelled).step == "b"
    late = run.when(complete_step, "b", 1, "late", after=3, usage=Usage(input_tokens=5)).names
    assert late == ["StepAnswerIgnored(b)", "CostRecorded(b)"]
    assert (run.last(StepAnswerIgnored).reason, run.execution.status) == ("execution_failed", "compensating")


def test_an_operator_may_retry_what_undoes_or_go_on_without_it(begin):
    run = failing(begin, a=undo(), b=undo(retry={"max_attempts": 2, "delay": 60}))
    run.given(fail_step, "b.compensation", 1, BUSY, after=3)
    run.when(retry_step, "b.compensation", "it is back", after=4, take=1).then(
        "StepRetried(b.compensation)", "StepScheduled(b.compensation)", "StepStarted(b.compensation)"
    )
    assert run.when(skip_step, "b.compensation", "by hand", after=5).names[:5] == [
        "StepCancelled(b.compensation)",
        "StepSkipped(b.compensation)",
        "CompensationFailed(b)",
        "CompensationStarted(a)",
        "StepScheduled(a.compensation)",
    ]
    assert run.last(CompensationFailed).error.code == "compensation_skipped"
    assert run.when(skip_step, "a.compensation", "by hand", after=6).names[-1] == "ExecutionFailed(c)"
    assert run.replayed() == run.execution


def test_an_operator_may_give_what_undoes_to_another_agent(begin):
    run = failing(begin, a=undo())
    run.when(reassign_step, "a.compensation", "stronger", "too hard", after=3, take=1).then(
        "StepCancelled(a.compensation)",
        "StepReassigned(a.compensation)",
        "StepScheduled(a.compensation)",
        "StepStarted(a.compensation)",
    )
    assert run.last(StepScheduled).agent == "stronger"
    assert run.when(complete_step, "a.compensation", 2, 1, after=4).names[-1] == "ExecutionFailed(c)"


def test_what_undoes_is_not_repaired_before_its_time(begin):
    run = begin(CHAIN, a=undo())
    run.when(skip_step, "a.compensation", "x", after=1).then(refused("step_not_reached"))


def test_an_agent_that_was_to_undo_it_later_is_told_that_it_need_not(begin):
    run = failing(begin, a=undo())
    run.given(accept_step, "a.compensation", 1, after=3)
    run.given(skip_step, "a.compensation", "by hand", after=4)
    assert run.last(StepCancelled).tell == "undoer"
