"""The stage on which the checks of templates run: decisions as workers take them, on a clock moved by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.template_checks.answering import Answering
from app.template_checks.scenarios import ScriptedDecision
from app.template_checks.shelf import Shelf
from app.template_checks.stage import Stage, Stuck
from domain.event import Cause
from domain.executions.decisions.refusals import ApproverNotNamed
from domain.executions.events.compensation import CompensationCompleted
from domain.executions.events.execution import ExecutionCompleted, Trigger
from domain.executions.state.model import Execution
from domain.processes.plan import accept_input
from domain.refusal import Malformed

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ECHO = {"script": "echo"}
REVIEW = """
name: review
steps:
  - {id: ask, type: human_approval, approvers: ann, deadline: 2d, on_error: skip_step}
  - {id: wait, type: timer, depends_on: ask, duration: 3h}
  - {id: file, agent: echo, depends_on: wait, message: "{{ steps.ask.output.decision }}"}
outputs: {filed: "{{ steps.file.output }}"}
"""


def staged(
    *texts: str, agents: dict[str, Any] | None = None, people: tuple[ScriptedDecision, ...] = ()
) -> tuple[Stage, Any]:
    """A stage with processes, and what runs the last one of them."""
    configurations = agents or {"echo": ECHO}
    shelf = Shelf(configurations)
    published = [shelf.publish(text, Cause(BEGIN, "user:test")) for text in texts][-1]
    stage = Stage(shelf, Answering(configurations), people, BEGIN)

    def run(**input: Any) -> Execution:
        return stage.run(published, accept_input(published.plan.input_spec, input), Trigger())

    return stage, run


def outputs(stage: Stage) -> dict[str, Any]:
    return next(event.outputs for _, event in reversed(stage.events) if isinstance(event, ExecutionCompleted))


def lasted(execution: Execution) -> timedelta:
    assert execution.started_at is not None
    assert execution.ended_at is not None
    return execution.ended_at - execution.started_at


def test_people_decide_after_a_time_and_timers_fire_when_they_are_due() -> None:
    stage, run = staged(REVIEW, people=(ScriptedDecision("ask", "approved", "ann", after="1h30m"),))
    assert lasted(run()) == timedelta(hours=4.5)
    assert outputs(stage) == {"filed": "approved"}


def test_a_deadline_passes_where_nobody_decides() -> None:
    stage, run = staged(REVIEW)
    assert lasted(run()) == timedelta(days=2, hours=3)
    assert outputs(stage) == {"filed": "expired"}


def test_a_person_who_may_not_decide_is_refused() -> None:
    _, run = staged(REVIEW, people=(ScriptedDecision("ask", "approved", "bob"),))
    with pytest.raises(ApproverNotNamed):
        run()


def test_an_execution_that_does_not_end_is_stuck_and_says_where() -> None:
    _, run = staged("name: open\nsteps: [{id: ask, type: human_approval}]")
    with pytest.raises(Stuck, match="waits for ask"):
        run()


def test_attempts_are_retried_after_their_delay_and_slow_ones_time_out() -> None:
    steps = """
steps:
  - {id: call, agent: flaky, message: hi, retry: {max_attempts: 2, delay: 40s}}
  - {id: dream, agent: slow, depends_on: call, message: hi, timeout: 10s, on_timeout: skip}
"""
    agents = {"flaky": {"script": "flaky"}, "slow": {"script": "slow", "delay": "1h"}}
    _, run = staged(f"name: calls{steps}", agents=agents)
    execution = run()
    assert (execution.status, execution.steps["call"].attempt) == ("completed", 2)
    assert execution.steps["dream"].status == "skipped"
    assert lasted(execution) == timedelta(seconds=50)


def test_a_called_process_runs_and_gives_its_outputs_back() -> None:
    child = """
name: child
input: {n: {type: integer, required: true}}
steps: [{id: s, agent: echo, message: hi}]
outputs: {n: "{{ input.n }}"}
"""
    parent = """
name: parent
steps: [{id: call, type: sub_process, process: child, input_mapping: {n: 4}}]
outputs: {n: "{{ steps.call.output.n }}"}
"""
    stage, run = staged(child, parent)
    run()
    assert outputs(stage) == {"n": 4}
    assert {execution.status for execution in stage.executions.values()} == {"completed"}
    assert len(stage.executions) == 2


def test_completed_steps_are_undone_in_reverse_when_a_later_one_fails() -> None:
    text = """
name: trip
steps:
  - {id: flight, agent: echo, message: go, compensation: {agent: echo, message: back}}
  - {id: room, agent: echo, depends_on: flight, message: stay, compensation: {agent: echo, message: leave}}
  - {id: pay, agent: broken, depends_on: room, message: pay}
"""
    stage, run = staged(text, agents={"echo": ECHO, "broken": {"script": "fail"}})
    assert run().status == "failed"
    undone = [event.step for _, event in stage.events if isinstance(event, CompensationCompleted)]
    assert undone == ["room", "flight"]


def test_costs_of_a_child_count_for_its_parent_and_a_limit_cancels_it() -> None:
    child = "name: child\nsteps: [{id: s, agent: dear, message: hi}]"
    parent = """
name: parent
costs: {per_execution: {amount: "1.00", currency: USD, warn_at: 0.5, on_alert: cancel_execution}}
steps:
  - {id: one, type: sub_process, process: child}
  - {id: two, type: sub_process, process: child, depends_on: one}
  - {id: three, type: sub_process, process: child, depends_on: two}
"""
    agents = {"dear": {"script": "echo", "cost": {"amount": "0.60", "currency": "USD"}}}
    stage, run = staged(child, parent, agents=agents)
    assert run().status == "cancelled"
    assert stage.spending.alerts == ["per_execution warning", "per_execution alert"]


def test_a_warning_is_a_mistake_of_the_process() -> None:
    with pytest.raises(Malformed) as refused:
        staged("name: odd\nsteps: [{id: s, agent: echo, message: hi, colour: red}]")
    assert [problem.code for problem in refused.value.problems] == ["unknown_key"]
