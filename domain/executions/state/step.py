"""Evolution of steps.

An attempt that fails closes its step and makes its edges dead, until the next event of the same decision reopens the
step (retried), makes edges live again (skipped, diverted), or fails the execution.
"""

from datetime import datetime

from msgspec.structs import replace

from domain.agents.calls import StepError
from domain.executions.events.outcomes import (
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
from domain.executions.events.step import (
    BackgroundResponseStarted,
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
from domain.executions.state.edges import decide_edges, decide_edges_dead, reopen_edges, revive_edges
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, StepState
from domain.executions.state.repetition import drop_children, keeps_items
from domain.executions.state.timer import end_attempt, end_step, start_heartbeat, start_timeouts
from domain.executions.timers import RETRY


@evolves(StepScheduled)
def scheduled(execution: Execution, event: StepScheduled) -> None:
    """Schedule an attempt."""
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
    """Start the attempt that a worker claimed; its timeouts run from now."""
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
    """Leave the state unchanged: the attempt goes on."""


@evolves(BackgroundResponseStarted)
def response_started(execution: Execution, event: BackgroundResponseStarted) -> None:
    """Keep the id under which any worker polls for the answer."""
    execution.steps[event.step] = replace(execution.steps[event.step], response_id=event.response_id)


@evolves(StepAccepted)
def accepted(execution: Execution, event: StepAccepted) -> None:
    """Wait for the agent's later answer."""
    execution.steps[event.step] = replace(execution.steps[event.step], status=ACCEPTED)
    start_heartbeat(execution, event.step, event.at)


@evolves(StepCompleted)
def completed(execution: Execution, event: StepCompleted) -> None:
    """Complete the step."""
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
    if event.step in execution.repetitions and not keeps_items(execution, event.step, event.output):
        del execution.repetitions[event.step]
    if event.step in execution.plan.compensations:
        execution.undo = (*execution.undo, event.step)
    decide_edges(execution, event.step, step.chosen)


@evolves(StepFailed)
def failed(execution: Execution, event: StepFailed) -> None:
    """Fail the attempt."""
    step = execution.steps.get(event.step) or StepState(SCHEDULED, event.attempt)
    _ended(execution, event.step, replace(step, attempt=event.attempt), FAILED, event.at, error=event.error)


@evolves(StepTimedOut)
def timed_out(execution: Execution, event: StepTimedOut) -> None:
    """Fail the attempt, or the whole step, for its timeout."""
    step = execution.steps[event.step]
    _may_answer(execution, event.step, step, "step_timed_out")
    _ended(execution, event.step, step, TIMED_OUT, event.at, error=time_out(event.scope))


def time_out(scope: str) -> StepError:
    """Return the error by which a timeout is shown to expressions and people."""
    setting = "timeout" if scope == "attempt" else "total_timeout"
    return StepError("step_timed_out", f"the step took longer than its {setting}")


@evolves(StepHeartbeatMissed)
def heartbeat_missed(execution: Execution, event: StepHeartbeatMissed) -> None:
    """Expect a late answer of the agent; the StepFailed that follows ends the attempt."""
    _may_answer(execution, event.step, execution.steps[event.step], "heartbeat_missed")


@evolves(StepCancelled)
def cancelled(execution: Execution, event: StepCancelled) -> None:
    """Cancel the attempt."""
    step = execution.steps[event.step]
    _may_answer(execution, event.step, step, event.reason)
    _ended(execution, event.step, step, CANCELLED, event.at)


@evolves(StepRetryScheduled)
def retry_scheduled(execution: Execution, event: StepRetryScheduled) -> None:
    """Reopen the step for a later attempt."""
    _reopened(execution, event.step, execution.steps[event.step])
    execution.timers[event.step, RETRY] = event.due_at


@evolves(StepRetried)
def retried(execution: Execution, event: StepRetried) -> None:
    """Reopen the step for an attempt now."""
    restarted(execution, event.step)


@evolves(StepReassigned)
def reassigned(execution: Execution, event: StepReassigned) -> None:
    """Reopen the step for another agent."""
    restarted(execution, event.step)
    execution.steps[event.step] = replace(execution.steps[event.step], agent=event.agent)


@evolves(StepSkipped)
def skipped(execution: Execution, event: StepSkipped) -> None:
    """End the step without a result."""
    step = execution.steps.get(event.step)
    if step is None:
        execution.steps[event.step] = StepState(SKIPPED, 0, ended_at=event.at)
    else:
        execution.steps[event.step] = replace(step, status=SKIPPED, ended_at=event.at)
    end_step(execution, event.step)
    if event.reason == "branch_not_taken":
        decide_edges_dead(execution, event.step)
    elif step is None or step.status in OPEN:
        decide_edges(execution, event.step, None)
    else:
        revive_edges(execution, event.step)


@evolves(StepDiverted)
def diverted(execution: Execution, event: StepDiverted) -> None:
    """Make the edge to the target alone live again."""
    execution.steps[event.step] = replace(execution.steps[event.step], chosen=(event.target,))
    end_step(execution, event.step)
    revive_edges(execution, event.step, only=event.target)


@evolves(StepAnswerIgnored)
def answer_ignored(execution: Execution, event: StepAnswerIgnored) -> None:
    """Expect no further answer to the attempt: the late answer has come."""
    execution.unanswered.pop(f"{event.step}:{event.attempt}", None)


@evolves(GatewayEvaluated)
def gateway_evaluated(execution: Execution, event: GatewayEvaluated) -> None:
    """Set the targets of the gateway; the StepCompleted that follows ends it."""
    before = execution.steps.get(event.step) or StepState(STARTED, event.attempt)
    execution.steps[event.step] = replace(
        before, status=STARTED, attempt=event.attempt, started_at=event.at, chosen=tuple(event.chosen)
    )


def restarted(execution: Execution, step: str) -> None:
    """Open the step, and count its policies from its next attempt."""
    state = execution.steps[step]
    _reopened(execution, step, replace(state, first_attempt=state.attempt + 1, began_at=None))
    end_step(execution, step)


def _reopened(execution: Execution, step: str, state: StepState) -> None:
    if state.status not in OPEN:
        reopen_edges(execution, step)
    execution.steps[step] = replace(state, status=RETRYING, started_at=None, ended_at=None)


def _ended(
    execution: Execution, step: str, state: StepState, status: str, at: datetime, error: StepError | None = None
) -> None:
    if state.child is not None:
        execution.children.pop(state.child, None)
    if step in execution.repetitions:
        drop_children(execution, step)
    execution.steps[step] = replace(state, status=status, error=error or state.error, ended_at=at, child=None)
    end_attempt(execution, step)
    decide_edges_dead(execution, step)


def _may_answer(execution: Execution, step: str, state: StepState, reason: str) -> None:
    if state.status in (STARTED, ACCEPTED):
        execution.unanswered[f"{step}:{state.attempt}"] = reason
