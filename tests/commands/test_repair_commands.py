"""Operators retry, skip and reassign what failed or does not come to an end."""

from uuid import UUID

import pytest

from commands.executions import CancelExecution, Executions
from commands.repairs import AgentUnknown, ReassignStep, Repairs, RetryExecution, RetryStep, SkipStep
from domain.agents.calls import StepError
from domain.agents.events import AgentRegistered, AgentRetired
from domain.executions.decisions.refusals import ExecutionEndedAlready
from domain.executions.events.execution import ExecutionFailed, ExecutionRetried, ExecutionStarted
from domain.executions.events.step import (
    StepFailed,
    StepScheduled,
    StepSkipped,
    StepStarted,
)
from domain.identity import agent_id, new_id
from domain.refusal import Forbidden, NotFound
from tests.commands.scenario import BOB, GREETING, NOW, Forgetful, Scenario, fact

BUSY = StepError("busy", "come back later")
GREET = fact(StepScheduled, step="greet", attempt=1, agent="writer", message="Hello Ann")
AGAIN = fact(StepScheduled, step="greet", attempt=2, agent="writer", message="Hello Ann")


@pytest.fixture
def due(scenario: Scenario) -> UUID:
    """An execution whose first step is due."""
    identity = {"process_id": scenario.given_process(GREETING), "process": "greeting", "version": 1}
    scenario.given(id := new_id(), fact(ExecutionStarted, input={"name": "Ann"}, steps=2, **identity), GREET)
    return id


@pytest.fixture
def failed(scenario: Scenario, due: UUID) -> UUID:
    """An execution that failed in its first step."""
    process = scenario.executions.load(due).plan.process_id
    scenario.given(
        due,
        fact(StepStarted, step="greet", attempt=1),
        fact(StepFailed, step="greet", attempt=1, error=BUSY, started_at=NOW),
        fact(ExecutionFailed, process_id=process, version=1, started_at=NOW, error=BUSY, step="greet"),
    )
    return due


def given_agent(scenario: Scenario, name: str, *more: AgentRetired) -> None:
    config = {"kind": "scripted", "script": "echo"}
    scenario.given(agent_id(name), fact(AgentRegistered, name=name, kind="scripted", config=config), *more)


def test_a_failed_execution_continues_in_a_new_attempt(scenario: Scenario, failed: UUID) -> None:
    recorded = scenario.when(scenario.repairs.retry_execution, RetryExecution(failed, "again"))
    recorded.then(fact(ExecutionRetried, reason="again", steps=["greet"]), AGAIN)
    assert scenario.list_of("due_steps", "step", "attempt", "owner") == [("greet", 2, None)]
    refusal = scenario.when(scenario.repairs.retry_execution, RetryExecution(failed)).refusal(Forbidden)
    assert refusal.code == "execution_not_failed"


def test_a_repair_whose_acknowledgement_is_lost_is_made_once(scenario: Scenario, failed: UUID) -> None:
    repairs = Repairs(Executions(Forgetful(scenario.datastore), scenario.plans), scenario.agents)
    recorded = scenario.when(repairs.retry_execution, RetryExecution(failed, "again"))
    recorded.then(fact(ExecutionRetried, reason="again", steps=["greet"]), AGAIN)
    assert not recorded.receipt.duplicate


def test_a_step_of_a_failed_execution_is_retried(scenario: Scenario, failed: UUID) -> None:
    recorded = scenario.when(scenario.repairs.retry_step, RetryStep(failed, "greet", "again"))
    recorded.then("ExecutionRetried", "StepScheduled(greet)")


def test_a_step_that_is_due_already_need_not_be_retried(scenario: Scenario, due: UUID) -> None:
    scenario.when(scenario.repairs.retry_step, RetryStep(due, "greet", "again"), BOB).then_nothing()


def test_a_skipped_step_lets_the_execution_continue(scenario: Scenario, failed: UUID) -> None:
    recorded = scenario.when(scenario.repairs.skip_step, SkipStep(failed, "greet", "not needed"))
    assert recorded.events[0] == fact(ExecutionRetried, reason="not needed", steps=["greet"])
    assert recorded.events[1] == fact(StepSkipped, step="greet", reason="operator", comment="not needed")


def test_a_step_is_given_to_an_agent_that_takes_work(scenario: Scenario, due: UUID) -> None:
    given_agent(scenario, "other")
    command = ReassignStep(due, "greet", "other", "writer is away")
    recorded = scenario.when(scenario.repairs.reassign_step, command)
    recorded.then("StepCancelled(greet)", "StepReassigned(greet)", "StepScheduled(greet)")
    assert scenario.executions.load(due).steps["greet"].agent == "other"
    scenario.when(scenario.repairs.reassign_step, command, BOB).then_nothing()


def test_only_an_agent_that_takes_work_is_given_a_step(scenario: Scenario, due: UUID) -> None:
    given_agent(scenario, "former", fact(AgentRetired, name="former", reason="old"))
    for agent, code in {"nobody": "unknown_agent", "former": "retired_agent"}.items():
        command = ReassignStep(due, "greet", agent, "why not")
        assert scenario.when(scenario.repairs.reassign_step, command).refusal(AgentUnknown).code == code


def test_what_a_rule_refuses_is_told_by_its_name(scenario: Scenario, due: UUID) -> None:
    repairs = scenario.repairs
    refusal = scenario.when(repairs.skip_step, SkipStep(due, "check", "why not")).refusal(Forbidden)
    assert refusal.code == "step_not_reached"
    scenario.when(repairs.retry_step, RetryStep(due, "nowhere", "again")).then(NotFound)
    scenario.when(repairs.retry_execution, RetryExecution(UUID(int=1))).then(NotFound)
    scenario.after(scenario.executions.cancel, CancelExecution(due))
    scenario.when(repairs.skip_step, SkipStep(due, "greet", "late")).then(ExecutionEndedAlready)
