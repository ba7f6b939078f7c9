"""People decide approvals, once, and executions continue."""

from typing import Any
from uuid import UUID

import pytest

from commands.approvals import DecideApproval
from domain.event import Cause
from domain.executions.decisions.refusals import ApprovalDecided, ApproverNotNamed, NoSuchApproval, ReasonRequired
from domain.executions.events.approval import ApprovalGranted, ApprovalRequested
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepCompleted
from domain.identity import new_id
from tests.commands.scenario import BOB, NOW, Scenario, fact

REVIEW = "name: review\nsteps:\n  - {id: ask, type: human_approval, approvers: [ann, bob]%s}\n"
EVE = Cause(NOW, "user:eve", "request-3")


@pytest.fixture
def asking(scenario: Scenario) -> UUID:
    """An execution that waits for ann or bob."""
    return asked(scenario, "")


def asked(scenario: Scenario, options: str) -> UUID:
    process, id = scenario.given_process(REVIEW % options), new_id()
    identity = {"process_id": process, "process": "review"}
    scenario.given(
        id,
        fact(ExecutionStarted, version=1, input={}, steps=1, **identity),
        fact(ApprovalRequested, title="ask", approvers=["ann", "bob"], **told(id), **identity),
    )
    return id


def told(id: UUID) -> dict[str, Any]:
    return {"step": "ask", "attempt": 1, "approval_id": f"{id}:ask:1"}


def test_a_granted_approval_completes_the_step(scenario: Scenario, asking: UUID) -> None:
    command = DecideApproval(f"{asking}:ask:1", "granted", "well done")
    recorded = scenario.when(scenario.approvals.decide, command)
    recorded.then("ApprovalGranted(ask)", "StepCompleted(ask)", "ExecutionCompleted")
    granted, completed, _ = recorded.events
    assert granted == fact(ApprovalGranted, by="user:ann", comment="well done", **told(asking))
    assert isinstance(completed, StepCompleted)
    assert completed.output == {"decision": "approved", "by": "user:ann", "comment": "well done"}
    assert recorded.receipt.facts == {"execution_id": str(asking)}


def test_a_refused_approval_fails_the_step(scenario: Scenario, asking: UUID) -> None:
    recorded = scenario.when(scenario.approvals.decide, DecideApproval(f"{asking}:ask:1", "refused"), BOB)
    recorded.then("ApprovalRefused(ask)", "StepFailed(ask)", "ExecutionFailed(ask)")


def test_the_first_decision_counts(scenario: Scenario, asking: UUID) -> None:
    decide = scenario.approvals.decide
    scenario.after(decide, DecideApproval(f"{asking}:ask:1", "granted"))
    scenario.when(decide, DecideApproval(f"{asking}:ask:1", "granted", "twice")).then_nothing()
    refusal = scenario.when(decide, DecideApproval(f"{asking}:ask:1", "refused"), BOB).refusal(ApprovalDecided)
    assert refusal.details["decided_by"] == "user:ann"


def test_only_named_approvers_decide(scenario: Scenario, asking: UUID) -> None:
    command = DecideApproval(f"{asking}:ask:1", "granted")
    scenario.when(scenario.approvals.decide, command, EVE).then(ApproverNotNamed)


def test_some_approvals_require_a_comment(scenario: Scenario) -> None:
    strict = asked(scenario, ", require_reason: true")
    scenario.when(scenario.approvals.decide, DecideApproval(f"{strict}:ask:1", "granted")).then(ReasonRequired)


@pytest.mark.parametrize("which", ["{id}:ask:2", "{id}:send:1", f"{UUID(int=1)}:ask:1", "this"])
def test_what_was_not_asked_is_not_decided(scenario: Scenario, asking: UUID, which: str) -> None:
    command = DecideApproval(which.format(id=asking), "granted")
    scenario.when(scenario.approvals.decide, command).then(NoSuchApproval)
