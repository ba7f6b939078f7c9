"""What each read model shows, given events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.agents.events import AgentRegistered, AgentRetired
from domain.executions.events.approval import ApprovalExpired, ApprovalGranted, ApprovalRequested
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRetried,
    Trigger,
)
from domain.executions.events.step import (
    GatewayEvaluated,
    RouteChecked,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepRetryScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
)
from domain.executions.events.timer import TimerMoved, TimerStarted
from domain.identity import agent_id, process_id
from domain.money import Money
from domain.processes.events import ProcessArchived, ProcessDrafted, ProcessPublished, ProcessRestored, ProcessRevised

X, Y = UUID(int=1), UUID(int=2)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LATER = BEGIN + timedelta(days=1)


def test_the_list_counts_steps_tokens_and_money_exactly(shown, story):
    story.start(X, steps=3).schedule(X, "a")
    for amount in ("0.1", "0.2", "1E+2", "0.0000000000000000000000000000000000000001"):
        cost = Money(Decimal(amount), "USD")
        story.tell(X, CostRecorded, step="a", attempt=1, agent="echo", usage=Usage(10, 3), cost=cost)
    story.tell(X, StepCompleted, step="a", attempt=1, output=1, started_at=story.happened[1][1].at)
    story.tell(X, StepSkipped, step="b", reason="condition_false")
    story.tell(X, StepFailed, step="c", attempt=1, error=StepError("x", "y"))
    [row] = shown(story, "select * from execution_list join execution_list_costs using (execution_id)")
    assert (row["steps"], row["steps_done"], row["steps_failed"]) == (3, 2, 1)
    assert (row["input_tokens"], row["output_tokens"]) == (40, 12)
    assert row["amount"] == Decimal("100.3000000000000000000000000000000000000001")
    assert (row["status"], row["position"], row["last_position"]) == ("running", 1, 9)


def test_an_error_is_shown_short_and_without_nul(shown, story):
    error = StepError("agent_error", "\0" + "x" * 5_000, details={"k": "\0"})
    story.start(X).end(X, ExecutionFailed, error=error)
    [row] = shown(story, "select * from execution_list")
    assert (row["status"], row["error_code"]) == ("failed", "agent_error")
    assert row["error_message"] == "\ufffd" + "x" * 1_999
    [detail] = shown(story, "select error::text as error, status from execution_detail")
    assert "\\u0000" in detail["error"]


def test_the_detail_shows_each_step_as_its_latest_attempt(shown, story):
    story.start(X, input={"big": 2**63 - 1, "nul": "\0"}).schedule(X)
    story.tell(X, StepStarted, step="a", attempt=1)
    story.tell(X, StepFailed, step="a", attempt=1, error=StepError("x", "y"))
    [first] = shown(story, "select * from execution_steps")
    assert (first["status"], first["error"]) == ("failed", {"code": "x", "message": "y"})
    story.schedule(X, attempt=2)
    [second] = shown(story, "select * from execution_steps")
    assert (second["status"], second["attempt"], second["parameters"]) == ("scheduled", 2, {"k": 2})
    assert (second["error"], second["started_at"], second["ended_at"]) == (None, None, None)
    assert second["first_position"] == first["first_position"]
    story.tell(X, StepCompleted, step="a", attempt=2, output=None, started_at=second["scheduled_at"])
    [third] = shown(story, "select output::text as output, message from execution_steps")
    assert third == {"output": "null", "message": "do a"}
    [detail] = shown(story, "select input::text as input, trigger from execution_detail")
    assert detail["input"] == '{"big":9223372036854775807,"nul":"\\u0000"}'
    assert detail["trigger"] == {"type": "manual", "id": None, "payload": None}


def test_a_step_between_attempts_shows_its_error_and_when_it_goes_on(shown, story):
    story.start(X).schedule(X).tell(X, StepStarted, step="a", attempt=1)
    at = story.happened[-1][1].at
    story.tell(X, StepTimedOut, step="a", attempt=1, scope="attempt", started_at=at)
    story.tell(X, StepRetryScheduled, step="a", attempt=2, due_at=LATER, code="step_timed_out")
    [row] = shown(story, "select * from execution_steps")
    assert (row["status"], row["attempt"], row["due_at"], row["ended_at"]) == ("retrying", 1, LATER, None)
    assert row["error"] == {"code": "step_timed_out", "message": "the step took longer than its timeout"}
    [listed] = shown(story, "select * from execution_list")
    assert (listed["steps_failed"], listed["status"]) == (0, "running")
    story.tell(X, StepFailed, step="a", attempt=2, error=StepError("x", "y"))
    story.tell(X, StepSkipped, step="a", reason="on_error")
    [row] = shown(story, "select * from execution_steps")
    assert (row["status"], row["attempt"], row["skip_reason"]) == ("skipped", 2, "on_error")
    [listed] = shown(story, "select * from execution_list")
    assert (listed["steps_failed"], listed["steps_done"]) == (0, 1)


def test_a_step_that_leads_elsewhere_counts_as_done(shown, story):
    story.start(X, steps=2).schedule(X).tell(X, StepFailed, step="a", attempt=1, error=StepError("x", "y"))
    story.tell(X, StepDiverted, step="a", target="b", reason="on_error")
    [row] = shown(story, "select * from execution_list")
    assert (row["steps_done"], row["steps_failed"]) == (1, 0)
    story.schedule(X, "b").tell(X, StepFailed, step="b", attempt=1, error=StepError("x", "y"))
    story.end(X, ExecutionFailed, error=StepError("x", "y"), step="b")
    [row] = shown(story, "select * from execution_list")
    assert (row["steps_done"], row["steps_failed"]) == (1, 1)
    story.tell(X, ExecutionRetried, reason="again", steps=["b"])
    [row] = shown(story, "select * from execution_list")
    assert (row["steps_done"], row["steps_failed"]) == (1, 0)


def test_an_approval_shows_what_was_asked_and_decided_and_only_the_last_one_of_a_step_is_moved(shown, story):
    asked = {"approval_id": "id", "process_id": process_id("p"), "process": "p", "title": "May it?", "deadline": BEGIN}
    query = "select attempt, status, deadline, decided_by, comment, approvers from approvals order by position"
    story.start(X).tell(X, ApprovalRequested, step="a", attempt=1, **asked)
    story.tell(X, ApprovalExpired, step="a", attempt=1, approval_id="id", on_deadline="reject")
    story.tell(X, ApprovalRequested, step="a", attempt=2, approvers=["ann"], **asked)
    before, after = shown(story, query)
    assert [before[name] for name in ("status", "deadline", "decided_by")] == ["expired", BEGIN, None]
    assert [after[name] for name in ("status", "deadline", "approvers")] == ["open", BEGIN, ["ann"]]
    story.tell(X, TimerMoved, step="a", kind="timeout", due_at=BEGIN + timedelta(days=9), reason="why")
    story.tell(X, TimerMoved, step="a", kind="deadline", due_at=LATER, reason="why")
    story.tell(X, ApprovalGranted, step="a", attempt=2, approval_id="id", by="user:ann", comment="fine")
    again, after = shown(story, query)
    assert again == before
    assert [after[name] for name in ("status", "deadline", "decided_by")] == ["granted", LATER, "user:ann"]
    assert after["comment"] == "fine"


def test_a_timer_waits_a_gateway_chooses_and_a_diverted_step_says_where_to(shown, story):
    story.start(X).tell(X, TimerStarted, step="t", attempt=1, due_at=BEGIN)
    story.tell(X, TimerMoved, step="t", kind="timer", due_at=LATER, reason="why")
    story.tell(X, TimerMoved, step="t", kind="timeout", due_at=BEGIN, reason="why")
    conditions = [RouteChecked("a", False, "input.n > 1"), RouteChecked("b", True)]
    story.tell(X, GatewayEvaluated, step="g", attempt=1, conditions=conditions, chosen=["b"])
    story.schedule(X).tell(X, StepFailed, step="a", attempt=1, error=StepError("x", "y"))
    story.tell(X, StepDiverted, step="a", target="b", reason="on_error")
    timer, gateway, step = shown(story, "select * from execution_steps order by first_position")
    assert (timer["status"], timer["attempt"], timer["due_at"], timer["agent"]) == ("waiting", 1, LATER, None)
    assert (gateway["chosen"], step["chosen"], step["status"]) == (["b"], ["b"], "failed")
    assert gateway["conditions"] == [
        {"target": "a", "value": False, "condition": "input.n > 1"},
        {"target": "b", "value": True},
    ]


def test_an_execution_that_is_retried_runs_again_and_has_not_failed(shown, story):
    story.start(X).schedule(X).tell(X, StepFailed, step="a", attempt=1, error=StepError("x", "y"))
    story.end(X, ExecutionFailed, error=StepError("x", "y"))
    catalogue = "select last_execution_status, failed, completed from process_catalogue"
    assert shown(story, catalogue) == [{"last_execution_status": "failed", "failed": 1, "completed": 0}]
    story.tell(X, ExecutionRetried, reason="why", steps=["a"])
    assert shown(story, catalogue) == [{"last_execution_status": "running", "failed": 0, "completed": 0}]
    [listed] = shown(story, "select * from execution_list")
    assert (listed["status"], listed["ended_at"], listed["error_code"]) == ("running", None, None)
    assert listed["steps_failed"] == 0
    [detail] = shown(story, "select * from execution_detail")
    assert (detail["status"], detail["ended_at"], detail["error"]) == ("running", None, None)
    [step] = shown(story, "select * from execution_steps")
    assert (step["status"], step["error"]) == ("retrying", {"code": "x", "message": "y"})
    story.end(X, ExecutionCompleted, outputs={})
    assert shown(story, catalogue) == [{"last_execution_status": "completed", "failed": 0, "completed": 1}]


def test_ends_of_executions_are_counted_by_day_and_a_retry_takes_a_failure_back(shown, story):
    days = "select day, completed, failed, cancelled, retried from process_days order by day"
    story.start(X).end(X, ExecutionFailed, error=StepError("x", "y"))
    story.start(Y).end(Y, ExecutionCancelled, reason="enough")
    [day] = shown(story, days)
    assert day == {"day": BEGIN, "completed": 0, "failed": 1, "cancelled": 1, "retried": 0}
    story.tell(X, ExecutionRetried, reason="why", steps=["a"]).end(X, ExecutionCompleted, outputs={})
    [day] = shown(story, days)
    assert day == {"day": BEGIN, "completed": 1, "failed": 1, "cancelled": 1, "retried": 1}


def test_the_detail_shows_the_trigger_whole(shown, story):
    story.start(X, trigger=Trigger("webhook", "w", {"a": [1]}))
    [row] = shown(story, "select trigger from execution_detail")
    assert row["trigger"] == {"type": "webhook", "id": "w", "payload": {"a": [1]}}


def test_what_ends_later_but_started_earlier_is_not_the_last_execution(shown, story):
    query = "select last_execution_id, last_execution_status, started, completed, cancelled from process_catalogue"
    story.start(X).start(Y)
    shown(story, query)
    story.end(X, ExecutionCompleted, outputs={})
    [row] = shown(story, query)
    assert (row["last_execution_id"], row["last_execution_status"], row["completed"]) == (Y, "running", 1)
    story.end(Y, ExecutionCancelled, reason="enough")
    [row] = shown(story, query)
    assert tuple(row.values()) == (Y, "cancelled", 2, 1, 1)


def test_a_process_is_drafted_published_revised_and_archived(shown, story):
    p, query = process_id("p"), "select * from process_catalogue"
    [row] = shown(story.tell(p, ProcessDrafted, name="p", source="one"), query)
    assert (row["status"], row["draft_source"], row["revision"], row["latest_version"]) == ("draft", "one", 1, None)
    definition = {"name": "p", "description": "d", "labels": ["x"], "owner": "ann"}
    story.tell(p, ProcessPublished, name="p", version=1, source="one", definition=definition)
    [row] = shown(story, query)
    assert (row["status"], row["draft_source"], row["latest_version"]) == ("published", None, 1)
    assert (row["description"], row["labels"], row["owner"]) == ("d", ["x"], "ann")
    [row] = shown(story.tell(p, ProcessRevised, name="p", source="two"), query)
    assert (row["status"], row["draft_source"], row["revision"]) == ("published", "two", 3)
    story.tell(p, ProcessPublished, name="p", version=2, source="two", definition={"name": "p"})
    [row] = shown(story, query)
    assert (row["description"], row["labels"], row["owner"], row["latest_version"]) == (None, [], None, 2)
    [row] = shown(story.tell(p, ProcessArchived, name="p", reason="old"), query)
    assert (row["status"], row["draft_source"]) == ("archived", None)
    story.tell(p, ProcessRestored, name="p", reason="needed", version=2, source="three")
    [row] = shown(story, query)
    assert (row["status"], row["draft_source"], row["latest_version"]) == ("published", "three", 2)
    versions = shown(story, "select version, source, definition, actor from process_versions order by version")
    assert [(row["version"], row["source"]) for row in versions] == [(1, "one"), (2, "two")]
    assert versions[0]["definition"] == definition


def test_an_agent_that_is_registered_again_is_active_again(shown, story):
    a, query = agent_id("a"), "select * from agent_directory"
    config = {"kind": "http", "url": "http://x"}
    story.tell(a, AgentRegistered, name="a", kind="http", config=config)
    [row] = shown(story.tell(a, AgentRetired, name="a", reason="old"), query)
    assert (row["status"], row["kind"], row["config"]) == ("retired", "http", config)
    assert row["retired_at"] > row["registered_at"]
    story.tell(a, AgentRegistered, name="a", kind="scripted", config={"kind": "scripted"})
    [again] = shown(story, query)
    assert (again["status"], again["kind"], again["retired_at"]) == ("active", "scripted", None)
    assert (again["registered_at"], again["revision"]) == (row["registered_at"], 3)
