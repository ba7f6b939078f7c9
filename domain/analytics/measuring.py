"""The fold of an execution's events, in the shapes of readers, into its measure; any order is accepted. Pure."""

from collections.abc import Callable, Mapping
from sys import intern
from typing import Any

import msgspec

from domain.analytics.measures import (
    APPROVAL,
    CHILD,
    IDLE,
    QUEUE,
    RETRYING,
    TIMER,
    WORKING,
    ExecutionMeasure,
)
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED

Measuring = Callable[[ExecutionMeasure, Any], None]


class _Coded(msgspec.Struct, gc=False):
    code: str = ""


_error = msgspec.json.Decoder(_Coded).decode


def code_of(error: msgspec.Raw) -> str:
    """Return the code of an error in the shape of readers."""
    return _error(error).code


def begun(event: Any) -> ExecutionMeasure:
    """Return the measure of an execution after its first event, ExecutionStarted."""
    root = None if event.parent is None else event.parent.root.bytes
    found = ExecutionMeasure(event.process_id.bytes, event.version, event.trigger.type, root, event.at)
    found.body = intern(event.body)
    return found


def measure(found: ExecutionMeasure, topic: str, version: int, event: Any) -> None:
    """Fold the event that is number `version` of its execution; topic: its stored name."""
    found.version = version
    handle = HANDLERS.get(topic)
    if handle is not None:
        handle(found, event)


def _enters(phase: int, *, tried: bool = False) -> Measuring:
    """Handle an event after which its step is in another phase, unless the execution has ended."""

    def handle(found: ExecutionMeasure, event: Any) -> None:
        if found.ended_at is None:
            found.move(event.step, phase, event.at)

    def handle_attempt(found: ExecutionMeasure, event: Any) -> None:
        if found.ended_at is None:
            found.move(event.step, phase, event.at).tried = True

    return handle_attempt if tried else handle


def _scheduled(found: ExecutionMeasure, event: Any) -> None:
    if found.ended_at is None:
        step = found.move(event.step, QUEUE, event.at)
        step.tried, step.agent = True, intern(event.agent)


def _sub_process_started(found: ExecutionMeasure, event: Any) -> None:
    found.calls = True
    if found.ended_at is None:
        found.move(event.step, CHILD if event.wait else IDLE, event.at).tried = True


def _items_listed(found: ExecutionMeasure, event: Any) -> None:
    found.calls = True
    if found.ended_at is None:
        found.move(event.step, CHILD, event.at).tried = True


def _round_completed(found: ExecutionMeasure, event: Any) -> None:
    if found.ended_at is None and event.next_at is not None:
        found.move(event.step, TIMER, event.at)


def _step_completed(found: ExecutionMeasure, event: Any) -> None:
    if found.ended_at is None:
        found.move(event.step, IDLE, event.at).completed = True


def _passes(found: ExecutionMeasure, event: Any) -> None:
    if found.ended_at is None:
        found.pass_time(event.at)


def _cost_recorded(found: ExecutionMeasure, event: Any) -> None:
    found.spenders[found.version] = intern(event.agent)
    if event.cost is None:
        usage = event.usage
        if event.flags or (usage is not None and (usage.input_tokens or usage.output_tokens)):
            _unpriced(found, found.version, event.step)
        return
    found.spent.spend(event.cost)
    found.step_spent(event.step).spend(event.cost)


def _cost_corrected(found: ExecutionMeasure, event: Any) -> None:
    for spent in (found.spent, found.step_spent(event.step)):
        spent.spend(event.before, -1)
        spent.spend(event.after)
    if event.after is None:
        _unpriced(found, event.recorded, event.step)
    elif event.recorded in found.unpriced:
        found.spent.unpriced -= 1
        found.step_spent(found.unpriced.pop(event.recorded)).unpriced -= 1


def _unpriced(found: ExecutionMeasure, recorded: int, step: str) -> None:
    if recorded not in found.unpriced:
        found.unpriced[recorded] = step
        found.spent.unpriced += 1
        found.step_spent(step).unpriced += 1


def _ends(outcome: str) -> Measuring:
    def handle(found: ExecutionMeasure, event: Any) -> None:
        if found.ended_at is not None:
            return
        found.pass_time(event.at)
        for step, state in found.steps.items():
            if state.phase != IDLE:
                found.move(step, IDLE, event.at)
        found.outcome, found.ended_at = outcome, event.at
        if outcome == FAILED:
            found.error_code, found.failed_step = code_of(event.error), event.step or ""

    return handle


def _retried(found: ExecutionMeasure, event: Any) -> None:
    """Take back the end. The time since the failure was time between two attempts."""
    if found.ended_at is not None:
        found.interlude = RETRYING
        found.pass_time(event.at)
        found.interlude = QUEUE
        found.ended_at = None
        found.outcome = found.error_code = found.failed_step = ""
    for step in event.steps:
        found.move(step, RETRYING, event.at)


HANDLERS: Mapping[str, Measuring] = {
    "ExecutionQueued": _passes,
    "ExecutionAdmitted": _passes,
    "StepScheduled": _scheduled,
    "StepStarted": _enters(WORKING, tried=True),
    "StepAccepted": _enters(WORKING, tried=True),
    "TimerStarted": _enters(TIMER, tried=True),
    "ApprovalRequested": _enters(APPROVAL, tried=True),
    "SubProcessStarted": _sub_process_started,
    "ItemsListed": _items_listed,
    "ItemsResumed": _items_listed,
    "RoundCompleted": _round_completed,
    "StepRetryScheduled": _enters(RETRYING),
    "StepRetried": _enters(RETRYING),
    "StepReassigned": _enters(RETRYING),
    "StepCompleted": _step_completed,
    "StepFailed": _enters(IDLE),
    "StepTimedOut": _enters(IDLE),
    "StepCancelled": _enters(IDLE),
    "StepSkipped": _enters(IDLE),
    "StepDiverted": _enters(IDLE),
    "GatewayEvaluated": _enters(IDLE),
    "CostRecorded": _cost_recorded,
    "CostCorrected": _cost_corrected,
    "ExecutionCompleted": _ends(COMPLETED),
    "ExecutionFailed": _ends(FAILED),
    "ExecutionCancelled": _ends(CANCELLED),
    "ExecutionRetried": _retried,
}
"""By the stored name of an event of an execution, the function that folds it; the others change no figure."""
