"""Decisions about timers: the effect of a due timer, and the commands of operators and agents."""

from collections.abc import Callable
from datetime import datetime, timedelta

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.approval import expire
from domain.executions.decisions.refusals import (
    ExecutionEndedAlready,
    NoSuchStep,
    NoSuchTimer,
    StepNotRunning,
    TimerTooFar,
)
from domain.executions.engine.advance import advance
from domain.executions.engine.ending import agent_to_notify, cancel_wait
from domain.executions.engine.failing import go_on, settle
from domain.executions.engine.steps import repeat, timer
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.outcomes import ACCEPTED, STARTED
from domain.executions.events.step import StepFailed, StepHeartbeatMissed, StepTimedOut
from domain.executions.events.timer import TimerMoved
from domain.executions.state.model import Execution
from domain.executions.state.step import time_out
from domain.executions.timers import DEADLINE, HEARTBEAT, RETRY, ROUND, TIMEOUT, TIMER, TOTAL_TIMEOUT
from domain.processes.plan import PlannedAgentTask, PlannedStep

FARTHEST = timedelta(days=365)


def fire_timer(execution: Execution, step: str, kind: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Fire a due timer and record all consequences; kind is one of `domain.executions.timers.KINDS`.

    Returns no events when the timer no longer exists, or when it is not due at `cause.at` yet.
    """
    unfolding = Unfolding(execution, cause, take)
    _fire_if_due(unfolding, step, kind)
    return unfolding


def fire_timer_early(
    execution: Execution, step: str, kind: str, reason: str, cause: Cause, take: Take = 0
) -> Unfolding:
    """Fire a timer now, at an operator's command. Raises NoSuchTimer, NotFound or ExecutionEndedAlready."""
    due_at = _due_at(execution, step, kind)
    return move_timer(execution, step, kind, min(due_at, cause.at), reason, cause, take)


def move_timer(
    execution: Execution, step: str, kind: str, due_at: datetime, reason: str, cause: Cause, take: Take = 0
) -> Unfolding:
    """Set another due time, aware UTC, at an operator's command; a time that is not in the future fires it now.

    Returns no events when it is due at that time already. Raises NoSuchTimer, NotFound, ExecutionEndedAlready or
    TimerTooFar.
    """
    before = _due_at(execution, step, kind)
    if due_at - cause.at > FARTHEST:
        raise TimerTooFar(f"a timer can be due in {FARTHEST.days} days at the latest")
    unfolding = Unfolding(execution, cause, take)
    if due_at != before:
        unfolding.record(TimerMoved, step=step, kind=kind, due_at=max(due_at, cause.at), reason=reason)
    _fire_if_due(unfolding, step, kind)
    return unfolding


def _due_at(execution: Execution, step: str, kind: str) -> datetime:
    if execution.ended_at is not None:
        raise ExecutionEndedAlready(f"the execution is {execution.status}", status=execution.status)
    if step not in execution.plan.steps:
        raise NoSuchStep(step, execution.plan.steps)
    if (step, kind) not in execution.timers:
        raise NoSuchTimer(f"step {step!r} has no timer of kind {kind!r}")
    return execution.timers[step, kind]


def record_heartbeat(execution: Execution, step: str, attempt: int, now: datetime) -> datetime | None:
    """Return the time by which the agent of this attempt must send the next heartbeat; None when it need not send any.

    Heartbeats are not recorded as events: only the due list postpones the ``heartbeat`` timer, and `fire_timer` must be
    called only once the timer is due by the list. Raises StepNotRunning when the attempt is over, or NotFound.
    """
    planned = execution.plan.steps.get(step)
    if planned is None:
        raise NoSuchStep(step, execution.plan.steps)
    state = execution.steps.get(step)
    if state is None or state.attempt != attempt or state.status not in (STARTED, ACCEPTED):
        raise StepNotRunning(f"attempt {attempt} of step {step!r} is not under way")
    if (step, HEARTBEAT) not in execution.timers or not isinstance(planned, PlannedAgentTask):
        return None
    return None if planned.heartbeat is None else now + planned.heartbeat


def _fire_if_due(unfolding: Unfolding, step: str, kind: str) -> None:
    due_at = unfolding.execution.timers.get((step, kind))
    if due_at is not None and due_at <= unfolding.cause.at:
        ended = _FIRE[kind](unfolding, unfolding.execution.plan.steps[step])
        advance(unfolding, (step,) if ended else ())


def _timer(unfolding: Unfolding, step: PlannedStep) -> bool:
    return timer.fire(unfolding, step.id)


def _retry(unfolding: Unfolding, step: PlannedStep) -> bool:
    return go_on(unfolding, step)


def _round(unfolding: Unfolding, step: PlannedStep) -> bool:
    return go_on(unfolding, step, repeat.next_round)


def _timeout(unfolding: Unfolding, step: PlannedStep) -> bool:
    return _time_out(unfolding, step, "attempt")


def _total_timeout(unfolding: Unfolding, step: PlannedStep) -> bool:
    return _time_out(unfolding, step, "total")


def _time_out(unfolding: Unfolding, step: PlannedStep, scope: str) -> bool:
    state = unfolding.execution.steps[step.id]
    cancel_wait(unfolding, step.id, state, "step_timed_out")
    facts = {"step": step.id, "attempt": state.attempt, "started_at": state.started_at, "tell": agent_to_notify(state)}
    unfolding.record(StepTimedOut, scope=scope, **facts)
    return settle(unfolding, step, time_out(scope))


def _heartbeat(unfolding: Unfolding, step: PlannedStep) -> bool:
    state = unfolding.execution.steps[step.id]
    unfolding.record(StepHeartbeatMissed, step=step.id, attempt=state.attempt, tell=agent_to_notify(state))
    error = StepError("heartbeat_missed", "the agent gave no sign of life in time")
    unfolding.record(StepFailed, step=step.id, attempt=state.attempt, error=error, started_at=state.started_at)
    return settle(unfolding, step, error)


_FIRE: dict[str, Callable[[Unfolding, PlannedStep], bool]] = {
    TIMER: _timer,
    TIMEOUT: _timeout,
    TOTAL_TIMEOUT: _total_timeout,
    RETRY: _retry,
    HEARTBEAT: _heartbeat,
    DEADLINE: expire,
    ROUND: _round,
}
