"""Approval steps: what people are asked, what they may decide, and what follows from it or from their silence."""

from typing import Any

import pytest

from domain.executions.decisions.approval import decide_approval, parse_approval_id
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.refusals import ApprovalDecided, NoSuchApproval, ReasonRequired
from domain.executions.decisions.repairs import retry_step, skip_step
from domain.executions.decisions.step import complete_step
from domain.executions.decisions.timer import fire_timer, move_timer
from domain.executions.events.approval import ApprovalExpired, ApprovalRequested
from domain.executions.events.step import StepCompleted, StepFailed, StepSkipped
from domain.executions.state.evolution import fold
from domain.identity import approval_id
from tests.scenario import refused

ANN, BOB, EVE = "user:ann", "user:bob", "user:eve"


def ask(**more: Any) -> dict[str, Any]:
    return {"type": "human_approval", **more}


@pytest.fixture
def asking(begin):
    """asking(**fields): an execution that asks in its only first step, and goes on with b."""
    return lambda **more: begin({"ask": [], "b": ["ask"]}, ask=ask(**more))


def test_people_are_asked_in_rendered_texts_and_nothing_else_happens(begin):
    fields = {"title": "May {{ input.x }}?", "description": "{{ input }}", "artifacts": ["{{ input.x }}", {"n": 1}]}
    run = begin({"ask": [], "b": ["ask"]}, given={"x": 7}, ask=ask(approvers=["ann"], deadline="1h", **fields))
    assert [type(e).__name__ for e in run.events] == ["ExecutionStarted", "ApprovalRequested"]
    asked = run.last(ApprovalRequested)
    assert (asked.title, asked.description, asked.artifacts) == ("May 7?", '{"x":7}', [7, {"n": 1}])
    assert (asked.approvers, asked.process) == (["ann"], "test")
    assert asked.approval_id == "00000000-0000-0000-0000-000000000001:ask:1"
    assert (run.status("ask"), run.due("ask", "deadline")) == ("waiting", 3600)


def test_a_title_is_the_name_of_the_step_or_its_id(begin):
    run = begin({"a": [], "b": []}, a=ask(), b=ask(name="Look {{ at }} it"))
    assert [e.title for e in run.events if isinstance(e, ApprovalRequested)] == ["a", "Look {{ at }} it"]


def test_a_text_that_cannot_be_rendered_fails_the_step(begin):
    run = begin({"ask": []}, ask=ask(description="{{ input.nowhere }}"))
    assert (run.execution.status, run.execution.approvals) == ("failed", {})


def test_granted_the_execution_goes_on(asking):
    run = asking(deadline="1h")
    run.when(decide_approval, "ask", 1, ANN, "granted", "fine", after=5, take=1).then(
        "ApprovalGranted(ask)", "StepCompleted(ask)", "StepScheduled(b)", "StepStarted(b)"
    )
    assert run.last(StepCompleted).output == {"decision": "approved", "by": ANN, "comment": "fine"}
    assert run.timers == {}


@pytest.mark.parametrize(
    ("verdict", "event", "code"),
    [
        ("refused", "ApprovalRefused(ask)", "approval_refused"),
        ("changes_requested", "ApprovalChangesRequested(ask)", "changes_requested"),
    ],
)
def test_without_a_yes_the_step_fails_with_what_was_said(asking, verdict, event, code):
    run = asking(deadline="1h")
    run.when(decide_approval, "ask", 1, ANN, verdict, "not so", after=5).then(
        event, "StepFailed(ask)", "ExecutionFailed(ask)"
    )
    error = run.last(StepFailed).error
    assert (error.code, error.message.partition(": ")[2]) == (code, "not so")
    assert run.timers == {}


def test_changes_are_made_where_on_error_leads(begin):
    graph = {"ask": [], "send": ["ask"], "rework": []}
    run = begin(graph, ask=ask(on_error={"goto_step": "rework"}), rework={"message": "{{ steps.ask.error.message }}"})
    run.when(decide_approval, "ask", 1, ANN, "changes_requested", "shorter", after=5).then(
        "ApprovalChangesRequested(ask)",
        "StepFailed(ask)",
        "StepDiverted(ask)",
        "StepSkipped(send)",
        "StepScheduled(rework)",
    )
    assert run.execution.steps["rework"].message == "user:ann wants changes: shorter"


def test_changes_with_a_retry_ask_again_and_a_no_is_final(begin):
    run = begin({"ask": []}, ask=ask(retry={"max_attempts": 3, "delay": 0}, deadline="1h", title="{{ input || 1 }}"))
    again = run.when(decide_approval, "ask", 1, ANN, "changes_requested", "", after=5).names
    assert again[-2:] == ["StepRetryScheduled(ask)", "ApprovalRequested(ask)"]
    assert run.last(ApprovalRequested).approval_id.endswith(":ask:2")
    assert run.due("ask", "deadline") == 3605
    run.when(decide_approval, "ask", 1, BOB, "granted", "", after=6).then(refused("approval_decided"))
    assert run.when(decide_approval, "ask", 2, ANN, "refused", "", after=7).names[-1] == "ExecutionFailed(ask)"


def test_only_those_named_may_decide(asking):
    run = asking(approvers=["ann", "bob"])
    run.when(decide_approval, "ask", 1, EVE, "granted", "", after=1).then(refused("approver_not_named"))
    assert run.when(decide_approval, "ask", 1, BOB, "granted", "", after=2).names != []
    run.when(decide_approval, "ask", 1, EVE, "granted", "", after=3).then(refused("approver_not_named"))


def test_the_first_decision_counts_and_the_same_again_is_nothing(asking, at):
    run = asking()
    run.given(decide_approval, "ask", 1, ANN, "granted", "first", after=1)
    run.when(decide_approval, "ask", 1, ANN, "granted", "again", after=2).then()
    for by, verdict in ((BOB, "granted"), (ANN, "refused")):
        with pytest.raises(ApprovalDecided, match="approved by user:ann") as refused:
            decide_approval(run.execution, "ask", 1, by, verdict, "", at(3))
        assert refused.value.details == {"decision": "approved", "decided_by": ANN}


def test_a_reason_is_given_where_one_is_required(asking, at):
    run = asking(require_reason=True)
    with pytest.raises(ReasonRequired) as refused:
        decide_approval(run.execution, "ask", 1, ANN, "granted", " ", at(1))
    assert [problem.path for problem in refused.value.problems] == ["comment"]
    assert run.when(decide_approval, "ask", 1, ANN, "granted", "because", after=2).names != []


@pytest.mark.parametrize(
    ("on_deadline", "follows", "status"),
    [
        ("reject", ["StepFailed(ask)", "ExecutionFailed(ask)"], "failed"),
        ("approve", ["StepCompleted(ask)", "StepScheduled(b)"], "completed"),
        ("skip", ["StepSkipped(ask)", "StepScheduled(b)"], "skipped"),
    ],
)
def test_when_the_deadline_has_passed_it_is_decided(asking, on_deadline, follows, status):
    run = asking(deadline="1h", on_deadline=on_deadline)
    run.when(fire_timer, "ask", "deadline", after=3599).then()
    run.when(fire_timer, "ask", "deadline", after=3600).then("ApprovalExpired(ask)", *follows)
    assert run.status("ask") == status
    assert run.last(ApprovalExpired).on_deadline == on_deadline
    run.when(decide_approval, "ask", 1, ANN, "granted", "", after=3601).then(refused("approval_decided"))
    run.when(fire_timer, "ask", "deadline", after=3602).then()
    assert run.timers == {}


def test_a_deadline_can_be_put_off(asking):
    run = asking(deadline="1h", on_deadline="skip")
    later = run.execution.started_at.replace(hour=15)
    run.given(move_timer, "ask", "deadline", later, "they are at lunch", after=10)
    assert (run.due("ask", "deadline"), run.execution.steps["ask"].due_at) == (3 * 3600, later)
    run.when(fire_timer, "ask", "deadline", after=3600).then()
    run.given(fire_timer, "ask", "deadline", after=3 * 3600)
    assert run.last(StepSkipped).reason == "on_deadline"


def test_nobody_is_asked_any_more_when_the_execution_ends(asking):
    run = asking(deadline="1h")
    assert run.when(cancel_execution, "enough", after=1).names[:2] == ["ApprovalCancelled(ask)", "StepCancelled(ask)"]
    run.when(decide_approval, "ask", 1, ANN, "granted", "", after=2).then(refused("approval_decided"))
    assert run.timers == {}


def test_a_total_timeout_ends_the_asking(asking):
    run = asking(total_timeout="1m", on_timeout="skip")
    names = ["ApprovalCancelled(ask)", "StepTimedOut(ask)", "StepSkipped(ask)", "StepScheduled(b)"]
    run.when(fire_timer, "ask", "total_timeout", after=60).then(*names)


def test_operators_may_ask_anew_or_go_on_without(asking):
    run = asking(deadline="1h")
    run.when(retry_step, "ask", "wrong people", after=1).then(
        "ApprovalCancelled(ask)", "StepCancelled(ask)", "StepRetried(ask)", "ApprovalRequested(ask)"
    )
    assert (run.last(ApprovalRequested).attempt, run.due("ask", "deadline")) == (2, 3601)
    assert run.when(skip_step, "ask", "no time", after=2).names[-2:] == ["StepSkipped(ask)", "StepScheduled(b)"]


def test_several_are_asked_at_once_and_an_agent_cannot_answer_for_them(begin):
    run = begin({"x": [], "y": [], "b": ["x", "y"]}, x=ask(), y=ask())
    run.when(decide_approval, "y", 1, ANN, "granted", "", after=1).then("ApprovalGranted(y)", "StepCompleted(y)")
    run.when(complete_step, "x", 1, "yes", after=2).then(refused("step_not_running"))
    assert run.when(decide_approval, "x", 1, BOB, "granted", "", after=3).names[-1] == "StepScheduled(b)"
    assert run.replayed() == run.execution


def test_what_was_never_asked_cannot_be_decided(asking):
    run = asking()
    for step, attempt in (("ask", 2), ("b", 1), ("nowhere", 1)):
        run.when(decide_approval, step, attempt, ANN, "granted", "", after=1).then(refused("no_such_approval"))


def test_a_restart_between_any_two_events_changes_nothing(asking):
    run = asking(deadline="1h", approvers=["ann"])
    run.given(decide_approval, "ask", 1, ANN, "granted", "", after=1)
    empty = run.replayed().__class__(run.execution.id, run.execution.plan)
    for cut in range(len(run.events)):
        assert fold(fold(empty, run.events[:cut]), run.events[cut:]) == run.execution


def test_an_id_says_what_it_is_the_id_of(asking):
    run = asking()
    id = approval_id(run.execution.id, "ask", 12)
    assert parse_approval_id(id) == (run.execution.id, "ask", 12)
    for other in ("", "x", id + ":1", id.replace("ask", "A"), id[:-2] + "0", id.upper()):
        with pytest.raises(NoSuchApproval):
            parse_approval_id(other)
