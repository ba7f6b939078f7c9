"""Which events make an entry in inboxes, with which outcome, and for which role by default: stated once. Pure."""

from domain.roles.effective import INFORMED, MONITOR

# The outcome of an entry by the stored name of its event.
TYPES = {
    "StepCompleted": "completed",
    "StepFailed": "failed",
    "StepTimedOut": "timed_out",
    "StepSkipped": "skipped",
    "StepCancelled": "cancelled",
    "ApprovalExpired": "overdue",
    "ExecutionCompleted": "completed",
    "ExecutionFailed": "failed",
    "ExecutionCancelled": "cancelled",
    "CostAlertRaised": "raised",
}
OUTCOMES = frozenset(TYPES.values())
ALERT = "CostAlertRaised"
"""Concerns the monitors in the defaults of a process; without any, those of its steps."""
OF_NO_STEP = frozenset(("ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled", ALERT))
"""The types that concern each agent with a role in any step of the process."""

DEFAULT_TYPES = {
    INFORMED: ("StepCompleted",),
    MONITOR: ("ApprovalExpired", "CostAlertRaised", "StepFailed", "StepTimedOut"),
}
"""The types of which the holder of a role gets entries unless its filter names types."""

# A retry or a fallback after such an event makes it the end of an attempt, and not the final outcome of the step.
RETRIABLE = frozenset(("StepFailed", "StepTimedOut"))
WITHDRAWS = frozenset(("StepRetryScheduled", "StepSkipped"))
_FALLBACKS = frozenset(("on_error", "on_timeout"))
_GOES_ON = frozenset(("retried", "skipped", "reassigned"))


def is_outcome(type: str, reason: str) -> bool:
    """Return whether an event of `type` in TYPES is a final outcome; reason: of a step that was cancelled."""
    return type != "StepCancelled" or reason not in _GOES_ON


def withdraws(type: str, reason: str) -> bool:
    """Return whether the event says that the failure right before it, in its stream, was no final outcome."""
    return type == "StepRetryScheduled" or (type == "StepSkipped" and reason in _FALLBACKS)
