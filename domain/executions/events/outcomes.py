"""The meaning of an event for its execution and its step: stated once, for the state and all readers of the log."""

from domain.event import Event
from domain.executions.events.compensation import CompensationRequired
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.events.step import (
    StepAccepted,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepHeartbeatMissed,
    StepTimedOut,
)

RUNNING, COMPLETED, FAILED, CANCELLED = "running", "completed", "failed", "cancelled"
QUEUED, COMPENSATING = "queued", "compensating"
SCHEDULED, STARTED, ACCEPTED, WAITING, RETRYING = "scheduled", "started", "accepted", "waiting", "retrying"
SKIPPED, TIMED_OUT = "skipped", "timed_out"

# An attempt is due or under way.
UNDER_WAY = frozenset((SCHEDULED, STARTED, ACCEPTED, WAITING))
# The step has not ended; between two attempts it is RETRYING.
OPEN = UNDER_WAY | {RETRYING}
# Steps of the execution may be done.
ACTIVE = frozenset((RUNNING, COMPENSATING))

# The status of an execution after the event; events that are not listed leave it unchanged.
EXECUTION_STATUS: dict[type[Event], str] = {
    ExecutionStarted: RUNNING,
    ExecutionQueued: QUEUED,
    ExecutionAdmitted: RUNNING,
    ExecutionRetried: RUNNING,
    CompensationRequired: COMPENSATING,
    ExecutionCompleted: COMPLETED,
    ExecutionFailed: FAILED,
    ExecutionCancelled: CANCELLED,
}
# The events that end an execution.
ENDS_EXECUTION: frozenset[type[Event]] = frozenset((ExecutionCompleted, ExecutionFailed, ExecutionCancelled))

# The events after which Procession no longer waits for the answer to an attempt.
ABANDONS_ATTEMPT: frozenset[type[Event]] = frozenset((StepCancelled, StepHeartbeatMissed, StepTimedOut))
# The events after which a worker has no more work with an attempt.
LEAVES_WORKER: frozenset[type[Event]] = ABANDONS_ATTEMPT | {StepAccepted, StepCompleted, StepFailed}
# The status of a step whose attempt the event ends; a later event of the same decision may reopen the step.
ATTEMPT_STATUS: dict[type[Event], str] = {
    StepCompleted: COMPLETED,
    StepFailed: FAILED,
    StepTimedOut: TIMED_OUT,
    StepCancelled: CANCELLED,
}
