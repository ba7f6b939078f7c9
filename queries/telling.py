"""What events tell of a step that its state, which holds what decisions need, does not keep."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from domain.event import Event
from domain.executions.events.approval import ApprovalRequested
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.compensation import CompensationCompleted, CompensationFailed, CompensationStarted
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionRetried
from domain.executions.events.step import (
    GatewayEvaluated,
    StepCancelled,
    StepReassigned,
    StepRetried,
    StepRetryScheduled,
    StepScheduled,
    StepSkipped,
)
from domain.executions.events.timer import TimerStarted


class StepTold(msgspec.Struct):
    """scheduled_at: when the latest attempt was reached. compensation: how far the step is undone.

    Tokens and unpriced attempts are those of all attempts.
    """

    message: Any = None
    parameters: Any = None
    scheduled_at: datetime | None = None
    skip_reason: str | None = None
    cancel_reason: str | None = None
    conditions: Any = None
    compensation: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0


def tell(told: dict[str, StepTold], event: Event) -> None:
    """Add what `event` tells to the steps in `told`."""
    for step in event.steps if isinstance(event, ExecutionRetried) else [getattr(event, "step", None)]:
        if step is not None:
            about = told.setdefault(step, StepTold())
            note = _TELL.get(type(event))
            if note is not None:
                note(about, event)


def _begun(step: StepTold, event: Event) -> None:
    """A new attempt: what belongs to the one before is forgotten."""
    step.message = step.parameters = step.conditions = step.skip_reason = step.cancel_reason = None
    step.scheduled_at = event.at


def _scheduled(step: StepTold, event: StepScheduled) -> None:
    _begun(step, event)
    step.message, step.parameters = event.message, event.parameters


def _called(step: StepTold, event: SubProcessStarted) -> None:
    _begun(step, event)
    step.message, step.parameters = event.input, {}


def _evaluated(step: StepTold, event: GatewayEvaluated) -> None:
    _begun(step, event)
    step.conditions = event.conditions


def _undoing(status: str) -> Callable[[StepTold, Event], None]:
    def note(step: StepTold, _event: Event) -> None:
        step.compensation = status

    return note


def _reopened(step: StepTold, _event: Event) -> None:
    step.cancel_reason = None


def _skipped(step: StepTold, event: StepSkipped) -> None:
    step.skip_reason = event.reason


def _cancelled(step: StepTold, event: StepCancelled) -> None:
    step.cancel_reason = event.reason


def _used(step: StepTold, event: CostRecorded) -> None:
    if event.usage is not None:
        step.input_tokens += event.usage.input_tokens
        step.output_tokens += event.usage.output_tokens
        if event.cost is None and (event.usage.input_tokens or event.usage.output_tokens):
            step.unpriced += 1


_TELL: dict[type[Event], Callable[[StepTold, Any], None]] = {
    StepScheduled: _scheduled,
    TimerStarted: _begun,
    ApprovalRequested: _begun,
    GatewayEvaluated: _evaluated,
    SubProcessStarted: _called,
    CompensationStarted: _undoing("started"),
    CompensationCompleted: _undoing("completed"),
    CompensationFailed: _undoing("failed"),
    StepRetryScheduled: _reopened,
    StepRetried: _reopened,
    StepReassigned: _reopened,
    ExecutionRetried: _reopened,
    StepSkipped: _skipped,
    StepCancelled: _cancelled,
    CostRecorded: _used,
}
