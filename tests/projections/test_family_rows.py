"""What read models show of executions that start others, wait to begin, or undo what they did, given events."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.executions.events.child import SubProcessClosed
from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
)
from domain.executions.events.step import (
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepRetryScheduled,
    StepSkipped,
    StepStarted,
)
from domain.identity import process_id
from domain.money import Money
from domain.processes.events import ProcessDrafted

X, Y, Z = UUID(int=1), UUID(int=2), UUID(int=3)
ERROR = StepError("x", "y")


def last(story: Any) -> datetime:
    return story.happened[-1][1].at


def complete(story: Any, execution: UUID, step: str) -> None:
    story.schedule(execution, step).tell(execution, StepStarted, step=step, attempt=1)
    story.tell(execution, StepCompleted, step=step, attempt=1, output=1, started_at=last(story))


def test_a_child_knows_its_parent_and_its_root(shown, story):
    story.start(X, "p").call([X], Y).call([X, Y], Z, attempt=2)
    query = "select execution_id, parent_id, root_id, depth, trigger from execution_list order by position"
    assert [tuple(row.values()) for row in shown(story, query)] == [
        (X, None, None, None, "manual"),
        (Y, X, X, 1, "sub_process"),
        (Z, Y, X, 2, "sub_process"),
    ]
    query = "select parent_id, parent_step, parent_attempt from execution_detail order by started_position"
    assert [tuple(row.values()) for row in shown(story, query)] == [
        (None, None, None),
        (X, "call", 1),
        (Y, "call", 2),
    ]


def test_a_step_that_called_a_process_waits_with_the_input_of_the_child(shown, story):
    story.start(X, "p").call([X], Y)
    [row] = shown(story, f"select * from execution_steps where execution_id = '{X}'")
    assert (row["status"], row["attempt"], row["agent"]) == ("waiting", 1, None)
    assert (row["message"], row["parameters"], row["due_at"]) == ({"n": 1}, {}, None)
    assert row["started_at"] == row["scheduled_at"] == story.happened[1][1].at
    story.tell(X, SubProcessClosed, step="call", attempt=1, child=Y, reason="skipped")
    story.tell(X, StepCancelled, step="call", attempt=1, reason="skipped")
    [row] = shown(story, f"select * from execution_steps where execution_id = '{X}'")
    assert (row["status"], row["cancel_reason"]) == ("cancelled", "skipped")


def test_an_execution_is_queued_until_it_is_admitted_and_its_time_runs_from_there(shown, story):
    story.tell(process_id("p"), ProcessDrafted, name="p", source="p")
    story.start(X).tell(X, ExecutionQueued, process_id=process_id("p"))
    queries = {
        "execution_list": "select status, started_at from execution_list",
        "execution_detail": "select status, started_at from execution_detail",
        "process_catalogue": "select last_execution_status, last_started_at, started from process_catalogue",
    }
    asked = story.happened[1][1].at
    for query in queries.values():
        [row] = shown(story, query)
        assert list(row.values())[:2] == ["queued", asked]
    story.tell(X, ExecutionAdmitted, process_id=process_id("p"))
    for query in queries.values():
        [row] = shown(story, query)
        assert list(row.values())[:2] == ["running", last(story)]
    admitted = last(story)
    story.end(X, ExecutionCompleted, outputs={})
    [row] = shown(story, "select * from process_catalogue")
    assert (row["started"], row["completed"], row["last_execution_status"]) == (1, 1, "completed")
    assert row["last_started_at"] == admitted


def test_what_never_was_admitted_can_be_cancelled(shown, story):
    story.start(X).tell(X, ExecutionQueued, process_id=process_id("p")).end(X, ExecutionCancelled, reason="enough")
    [row] = shown(story, "select * from execution_list")
    assert (row["status"], row["started_at"]) == ("cancelled", story.happened[0][1].at)
    [row] = shown(story, "select * from process_catalogue")
    assert (row["started"], row["cancelled"], row["last_execution_status"]) == (1, 1, "cancelled")


def test_what_undoes_a_step_is_shown_and_counted_in_the_cost_but_is_no_step_of_the_process(shown, story):
    story.start(X, steps=3)
    complete(story, X, "a")
    complete(story, X, "b")
    story.schedule(X, "c").tell(X, StepFailed, step="c", attempt=1, error=ERROR)
    story.tell(X, CompensationRequired, outcome="failed", error=ERROR, step="c")
    [row] = shown(story, "select * from execution_list")
    assert (row["status"], row["steps_done"], row["steps_failed"], row["error_code"]) == ("compensating", 2, 1, None)
    undo = "b.compensation"
    story.tell(X, CompensationStarted, step="b").schedule(X, undo)
    story.tell(X, StepFailed, step=undo, attempt=1, error=ERROR)
    story.tell(X, StepRetryScheduled, step=undo, attempt=2, due_at=last(story), code="x").schedule(X, undo, 2)
    usage, cost = Usage(3, 4), Money(Decimal("0.5"), "USD")
    story.tell(X, CostRecorded, step=undo, attempt=2, agent="echo", usage=usage, cost=cost)
    story.tell(X, StepFailed, step=undo, attempt=2, error=ERROR).tell(X, CompensationFailed, step="b", error=ERROR)
    story.tell(X, CompensationStarted, step="a")
    complete(story, X, "a.compensation")
    story.tell(X, CompensationCompleted, step="a").end(X, ExecutionFailed, error=ERROR, step="c")
    rows = shown(story, "select step, status, attempt, compensation from execution_steps order by first_position")
    assert [tuple(row.values()) for row in rows] == [
        ("a", "completed", 1, "completed"),
        ("b", "completed", 1, "failed"),
        ("c", "failed", 1, None),
        ("b.compensation", "failed", 2, None),
        ("a.compensation", "completed", 1, None),
    ]
    [row] = shown(story, "select * from execution_list join execution_list_costs using (execution_id)")
    assert (row["status"], row["steps"], row["steps_done"], row["steps_failed"]) == ("failed", 3, 2, 1)
    assert (row["input_tokens"], row["amount"], row["error_code"]) == (3, Decimal("0.5"), "x")


def test_a_compensation_that_an_operator_skips_is_not_counted_either(shown, story):
    story.start(X, steps=1).tell(X, CompensationRequired, outcome="cancelled", reason="enough")
    story.schedule(X, "a.compensation").tell(X, StepSkipped, step="a.compensation", reason="operator")
    [row] = shown(story, "select * from execution_list")
    assert (row["status"], row["steps_done"]) == ("compensating", 0)


def test_executions_of_a_process_count_whoever_started_them(shown, story):
    story.tell(process_id("c"), ProcessDrafted, name="c", source="c").start(X, "p").call([X], Y, "c")
    story.end(Y, ExecutionCompleted, "c", outputs={})
    story.start(Z, "c").end(Z, ExecutionFailed, "c", error=ERROR)
    [row] = shown(story, "select * from process_catalogue where name = 'c'")
    assert (row["started"], row["completed"], row["failed"]) == (2, 1, 1)
