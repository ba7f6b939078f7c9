"""Executions are started, cancelled, and continue with the answers of agents."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from commands.agents import RegisterAgent
from commands.executions import AnswerStep, CancelExecution, Executions, StartExecution
from domain.agents.calls import Accepted, Completed, Failed, StepError, Usage
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
    Trigger,
)
from domain.executions.events.step import (
    StepAccepted,
    StepCompleted,
    StepFailed,
    StepScheduled,
    StepStarted,
)
from domain.identity import new_id
from domain.money import Money
from domain.processes.events import ProcessArchived
from domain.refusal import Forbidden, Malformed, NotFound
from tests.commands.scenario import ANN, BOB, GREETING, NOW, Forgetful, Scenario, fact

NEVER = UUID(int=1)
GREET = fact(StepScheduled, step="greet", attempt=1, agent="writer", message="Hello Ann")
TAKEN = fact(StepStarted, step="greet", attempt=1)


def started(process: UUID, trigger: Trigger = Trigger()) -> ExecutionStarted:  # noqa: B008 - immutable
    return fact(
        ExecutionStarted,
        process_id=process,
        process="greeting",
        version=1,
        input={"name": "Ann"},
        steps=2,
        trigger=trigger,
    )


@pytest.fixture
def process(scenario: Scenario) -> UUID:
    return scenario.given_process(GREETING)


@pytest.fixture
def running(scenario: Scenario, process: UUID) -> UUID:
    """An execution whose first step a worker has taken."""
    scenario.given(id := new_id(), started(process), GREET, TAKEN)
    return id


def ends(process: UUID) -> dict[str, Any]:
    return {"process_id": process, "version": 1, "started_at": NOW}


def test_a_start_schedules_the_first_steps(scenario: Scenario, process: UUID) -> None:
    recorded = scenario.when(scenario.executions.start, StartExecution(process, {"name": "Ann"}))
    recorded.then(started(process), GREET)
    assert recorded.receipt.facts == {"execution_id": str(recorded.receipt.stream), "version": 1}
    assert scenario.list_of("due_steps", "step", "attempt", "owner") == [("greet", 1, None)]


def test_a_start_states_its_trigger(scenario: Scenario, process: UUID) -> None:
    trigger = Trigger("webhook", "door", {"name": "Ann"})
    command = StartExecution(process, {"name": "Ann"}, 1, trigger)
    scenario.when(scenario.executions.start, command).then(started(process, trigger), GREET)


def test_an_input_is_refused_with_every_problem(scenario: Scenario, process: UUID) -> None:
    refusal = scenario.when(scenario.executions.start, StartExecution(process, {"nam": "Ann"})).refusal(Malformed)
    assert {problem.path for problem in refusal.problems} == {"input.nam", "input.name"}


def test_only_a_published_process_that_is_in_use_is_started(scenario: Scenario, process: UUID) -> None:
    start = scenario.executions.start
    scenario.when(start, StartExecution(NEVER, {})).then(NotFound)
    scenario.when(start, StartExecution(process, {"name": "Ann"}, 2)).then(NotFound)
    scenario.given(process, fact(ProcessArchived, name="greeting", reason="old"))
    assert scenario.when(start, StartExecution(process, {"name": "Ann"})).refusal(Forbidden).code == "process_archived"


def test_a_start_whose_acknowledgement_is_lost_is_made_once(scenario: Scenario, process: UUID) -> None:
    forgetful = Executions(Forgetful(scenario.datastore), scenario.plans)
    scenario.when(forgetful.start, StartExecution(process, {"name": "Ann"})).then(started(process), GREET)


def test_a_cancelled_execution_is_cancelled_once(scenario: Scenario, process: UUID, running: UUID) -> None:
    recorded = scenario.when(scenario.executions.cancel, CancelExecution(running, "enough"))
    recorded.then("StepCancelled(greet)", "ExecutionCancelled")
    assert recorded.events[-1] == fact(ExecutionCancelled, reason="enough", **ends(process))
    assert recorded.receipt.facts == {"execution_id": str(running)}
    scenario.when(scenario.executions.cancel, CancelExecution(running), BOB).then_nothing()
    assert scenario.list_of("due_steps", "step") == []


def test_an_unknown_execution_is_not_cancelled(scenario: Scenario) -> None:
    scenario.when(scenario.executions.cancel, CancelExecution(NEVER)).then(NotFound)


def test_an_agent_is_no_execution(scenario: Scenario) -> None:
    agent = scenario.when(scenario.agents.register, RegisterAgent("x", {"kind": "scripted", "script": "echo"}))
    scenario.when(scenario.executions.cancel, CancelExecution(agent.receipt.stream)).then(NotFound)


def test_an_answer_completes_the_step_and_schedules_the_next(scenario: Scenario, running: UUID) -> None:
    usage, cost = Usage(3, 4), Money(Decimal("0.0049"), "USD")
    answer = Completed("hi", usage, cost)
    scenario.when(scenario.executions.answer, AnswerStep(running, "greet", 1, answer), BOB).then(
        fact(CostRecorded, BOB, step="greet", attempt=1, agent="writer", usage=usage, cost=cost, called_at=NOW),
        fact(StepCompleted, BOB, step="greet", attempt=1, output="hi", started_at=NOW),
        fact(StepScheduled, BOB, step="check", attempt=1, agent="writer", message="Check hi"),
    )


def test_a_repeated_answer_is_a_duplicate(scenario: Scenario, running: UUID) -> None:
    command = AnswerStep(running, "greet", 1, Completed("hi"))
    scenario.when(scenario.executions.answer, command).then("StepCompleted(greet)", "StepScheduled(check)")
    scenario.when(scenario.executions.answer, command, BOB).then_nothing()


def test_the_last_answer_completes_the_execution(scenario: Scenario, process: UUID, running: UUID) -> None:
    scenario.given(
        running,
        fact(StepCompleted, step="greet", attempt=1, output="hi", started_at=NOW),
        fact(StepScheduled, step="check", attempt=1, agent="writer", message="Check hi"),
        fact(StepStarted, step="check", attempt=1),
    )
    scenario.when(scenario.executions.answer, AnswerStep(running, "check", 1, Completed("fine"))).then(
        fact(StepCompleted, step="check", attempt=1, output="fine", started_at=NOW),
        fact(ExecutionCompleted, outputs={"text": "fine"}, **ends(process)),
    )
    assert scenario.list_of("due_steps", "step") == []


def test_a_failure_fails_the_execution(scenario: Scenario, process: UUID, running: UUID) -> None:
    error = StepError("busy", "come back later")
    scenario.when(scenario.executions.answer, AnswerStep(running, "greet", 1, Failed(error))).then(
        fact(StepFailed, step="greet", attempt=1, error=error, started_at=NOW),
        fact(ExecutionFailed, error=error, step="greet", **ends(process)),
    )


def test_an_agent_may_accept_now_and_answer_later(scenario: Scenario, running: UUID) -> None:
    accepted = AnswerStep(running, "greet", 1, Accepted())
    scenario.when(scenario.executions.answer, accepted).then(fact(StepAccepted, step="greet", attempt=1))
    scenario.when(scenario.executions.answer, accepted, BOB).then_nothing()
    answered = AnswerStep(running, "greet", 1, Completed("hi"))
    scenario.when(scenario.executions.answer, answered).then("StepCompleted(greet)", "StepScheduled(check)")


def test_a_late_answer_counts_only_for_its_cost(scenario: Scenario, running: UUID) -> None:
    scenario.after(scenario.executions.cancel, CancelExecution(running), ANN)
    late = AnswerStep(running, "greet", 1, Completed("hi", Usage(3, 4)))
    recorded = scenario.when(scenario.executions.answer, late, BOB).then(
        "StepAnswerIgnored(greet)", "CostRecorded(greet)"
    )
    assert recorded.receipt.duplicate
