"""How events change the steps of an execution.

An attempt that ends badly closes its step and leads nowhere, until the next event of the same decision says that the
step goes on after all (retried), that what follows does (skipped, diverted), or that the execution has failed.
"""

from datetime import datetime

from msgspec.structs import replace

from domain.agents.calls import StepError
from domain.executions.events.step import (
    GatewayEvaluated,
    StepAccepted,
    StepAnswerIgnored,
    StepCancelled,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepHeartbeatMissed,
    StepReassigned,
    StepReclaimed,
    StepRetried,
    StepRetryScheduled,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
)
from domain.executions.outcomes import (
    ACCEPTED,
    CANCELLED,
    COMPLETED,
    FAILED,
    OPEN,
    RETRYING,
    SCHEDULED,
    SKIPPED,
    STARTED,
    TIMED_OUT,
)
from domain.executions.state.edges import leads_nowhere, leads_on, leads_on_after_all, undecided_again
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, StepState
from domain.executions.state.timer import end_attempt, end_step, start_heartbeat, start_timeouts
from domain.executions.timers import RETRY


@evolves(StepScheduled)
def scheduled(execution: Execution, event: StepScheduled) -> None:
    """An attempt is due."""
    before = execution.steps.get(event.step)
    if before is None:
        after = StepState(SCHEDULED, event.attempt, event.agent, event.message, event.parameters)
    else:
        execution.timers.pop((event.step, RETRY), None)
        after = StepState(
            SCHEDULED,
            event.attempt,
            event.agent,
            event.message,
            event.parameters,
            costs=before.costs,
            first_attempt=before.first_attempt,
            began_at=before.began_at,
        )
    execution.steps[event.step] = after


@evolves(StepStarted)
def started(execution: Execution, event: StepStarted) -> None:
    """A worker has the attempt; from now on its time runs."""
    step, planned = execution.steps[event.step], execution.plan.steps[event.step]
    began_at = step.began_at or event.at
    execution.steps[event.step] = StepState(
        STARTED,
        step.attempt,
        step.agent,
        step.message,
        step.parameters,
        None,
        None,
        event.at,
        None,
        step.costs,
        step.first_attempt,
        began_at,
    )
    if planned.timeout is not None or planned.total_timeout is not None:
        start_timeouts(execution, planned, event.at, began_at)


@evolves(StepReclaimed)
def noted(execution: Execution, event: StepReclaimed) -> None:
    """The attempt goes on as it was."""


@evolves(StepAccepted)
def accepted(execution: Execution, event: StepAccepted) -> None:
    """The agent answers later."""
    execution.steps[event.step] = replace(execution.steps[event.step], status=ACCEPTED)
    start_heartbeat(execution, event.step, event.at)


@evolves(StepCompleted)
def completed(execution: Execution, event: StepCompleted) -> None:
    """The step has ended well."""
    step = execution.steps[event.step]
    execution.steps[event.step] = StepState(
        COMPLETED,
        step.attempt,
        step.agent,
        None,
        {},
        event.output,
        None,
        step.started_at,
        event.at,
        step.costs,
        chosen=step.chosen,
    )
    if execution.timers:
        end_step(execution, event.step)
    if step.child is not None:
        execution.children.pop(step.child, None)
    if event.step in execution.plan.compensations:
        execution.undo = (*execution.undo, event.step)
    leads_on(execution, event.step, step.chosen)


@evolves(StepFailed)
def failed(execution: Execution, event: StepFailed) -> None:
    """An attempt has ended badly."""
    step = execution.steps.get(event.step) or StepState(SCHEDULED, event.attempt)
    _ended(execution, event.step, replace(step, attempt=event.attempt), FAILED, event.at, error=event.error)


@evolves(StepTimedOut)
def timed_out(execution: Execution, event: StepTimedOut) -> None:
    """An attempt, or the whole step, took too long."""
    step = execution.steps[event.step]
    _may_answer(execution, event.step, step, "step_timed_out")
    _ended(execution, event.step, step, TIMED_OUT, event.at, error=time_out(event.scope))


def time_out(scope: str) -> StepError:
    """The error that a timeout is for those who look at the step."""
    setting = "timeout" if scope == "attempt" else "total_timeout"
    return StepError("step_timed_out", f"the step took longer than its {setting}")


@evolves(StepHeartbeatMissed)
def heartbeat_missed(execution: Execution, event: StepHeartbeatMissed) -> None:
    """StepFailed ends the attempt; here is only noted that the agent may still answer."""
    _may_answer(execution, event.step, execution.steps[event.step], "heartbeat_missed")


@evolves(StepCancelled)
def cancelled(execution: Execution, event: StepCancelled) -> None:
    """An attempt was given up."""
    step = execution.steps[event.step]
    _may_answer(execution, event.step, step, event.reason)
    _ended(execution, event.step, step, CANCELLED, event.at)


@evolves(StepRetryScheduled)
def retry_scheduled(execution: Execution, event: StepRetryScheduled) -> None:
    """The step goes on after all, later."""
    _reopened(execution, event.step, execution.steps[event.step])
    execution.timers[event.step, RETRY] = event.due_at


@evolves(StepRetried)
def retried(execution: Execution, event: StepRetried) -> None:
    """The step goes on after all, now."""
    begun_anew(execution, event.step)


@evolves(StepReassigned)
def reassigned(execution: Execution, event: StepReassigned) -> None:
    """The step goes on after all, with another agent."""
    begun_anew(execution, event.step)
    execution.steps[event.step] = replace(execution.steps[event.step], agent=event.agent)


@evolves(StepSkipped)
def skipped(execution: Execution, event: StepSkipped) -> None:
    """The step has ended without a result."""
    step = execution.steps.get(event.step)
    if step is None:
        execution.steps[event.step] = StepState(SKIPPED, 0, ended_at=event.at)
    else:
        execution.steps[event.step] = replace(step, status=SKIPPED, ended_at=event.at)
    end_step(execution, event.step)
    if event.reason == "branch_not_taken":
        leads_nowhere(execution, event.step)
    elif step is None or step.status in OPEN:
        leads_on(execution, event.step, None)
    else:
        leads_on_after_all(execution, event.step)


@evolves(StepDiverted)
def diverted(execution: Execution, event: StepDiverted) -> None:
    """What follows goes on after all, but only on one path."""
    execution.steps[event.step] = replace(execution.steps[event.step], chosen=(event.target,))
    end_step(execution, event.step)
    leads_on_after_all(execution, event.step, only=event.target)


@evolves(StepAnswerIgnored)
def answer_ignored(execution: Execution, event: StepAnswerIgnored) -> None:
    """The answer that could still have come has come."""
    execution.unanswered.pop(f"{event.step}:{event.attempt}", None)


@evolves(GatewayEvaluated)
def gateway_evaluated(execution: Execution, event: GatewayEvaluated) -> None:
    """StepCompleted ends the gateway; here is only noted where it leads."""
    before = execution.steps.get(event.step) or StepState(STARTED, event.attempt)
    execution.steps[event.step] = replace(
        before, status=STARTED, attempt=event.attempt, started_at=event.at, chosen=tuple(event.chosen)
    )


def begun_anew(execution: Execution, step: str) -> None:
    """The step is open, and what its policies count begins with its next attempt."""
    state = execution.steps[step]
    _reopened(execution, step, replace(state, first_attempt=state.attempt + 1, began_at=None))
    end_step(execution, step)


def _reopened(execution: Execution, step: str, state: StepState) -> None:
    if state.status not in OPEN:
        undecided_again(execution, step)
    execution.steps[step] = replace(state, status=RETRYING, started_at=None, ended_at=None)


def _ended(
    execution: Execution, step: str, state: StepState, status: str, at: datetime, error: StepError | None = None
) -> None:
    if state.child is not None:
        execution.children.pop(state.child, None)
    execution.steps[step] = replace(state, status=status, error=error or state.error, ended_at=at, child=None)
    end_attempt(execution, step)
    leads_nowhere(execution, step)


def _may_answer(execution: Execution, step: str, state: StepState, reason: str) -> None:
    if state.status in (STARTED, ACCEPTED):
        execution.unanswered[f"{step}:{state.attempt}"] = reason
