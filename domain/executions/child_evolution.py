"""How events change what an execution knows of those it started."""

from domain.executions.child_events import SubProcessClosed, SubProcessStarted
from domain.executions.state import SCHEDULED, STARTED, WAITING, Child, Execution, StepState
from domain.executions.timer_evolution import start_timeouts
from domain.executions.timers import RETRY


def started(execution: Execution, event: SubProcessStarted) -> None:
    """Another execution is to run; the step waits for it, or StepCompleted follows."""
    before = execution.steps.get(event.step) or StepState(SCHEDULED, event.attempt, first_attempt=event.attempt)
    began_at = before.began_at or event.at
    execution.steps[event.step] = StepState(
        WAITING if event.wait else STARTED,
        event.attempt,
        message=event.input,
        started_at=event.at,
        first_attempt=before.first_attempt,
        began_at=began_at,
        child=event.child if event.wait else None,
    )
    execution.children[event.child] = Child(event.step, event.attempt, event.wait)
    execution.timers.pop((event.step, RETRY), None)
    if event.wait:
        start_timeouts(execution, execution.plan.steps[event.step], event.at, began_at)


def closed(execution: Execution, event: SubProcessClosed) -> None:
    """Nothing more is wanted of that execution."""
    execution.children.pop(event.child, None)
