"""Differences between the expectation of a check and the execution that has ended."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from app.template_checks.scenarios import ExpectedEnd
from domain.calendar.durations import parse_duration, print_duration
from domain.event import Event
from domain.executions.events.approval import ApprovalExpired
from domain.executions.events.compensation import CompensationCompleted
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed, ExecutionStarted
from domain.executions.events.timer import TimerFired
from domain.executions.state.model import Execution


class Happened(msgspec.Struct, frozen=True):
    """An execution that has ended, with all events of its tree; alerts and notified: as in `ExpectedEnd`."""

    execution: Execution
    events: list[tuple[UUID, Event]]
    alerts: list[str]
    notified: list[str]


def differences(expected: ExpectedEnd, happened: Happened) -> Iterator[tuple[str, str]]:
    """Yield each difference: the path of the expectation, and what happened instead."""
    execution = happened.execution
    own = [event for id, event in happened.events if id == execution.id]
    error = next((event.error for event in reversed(own) if isinstance(event, ExecutionFailed)), None)
    if execution.status != expected.status:
        why = f": {error.code}: {error.message}" if error else ""
        yield "status", f"the execution is {execution.status}, not {expected.status}{why}"
    elif expected.error is not None and (error is None or error.code != expected.error):
        yield "error", f"the error is {error.code if error else 'none'}, not {expected.error}"
    outputs = next((event.outputs for event in reversed(own) if isinstance(event, ExecutionCompleted)), {})
    yield from _named("outputs", expected.outputs, outputs)
    steps = {step: state.status for step, state in execution.steps.items()}
    yield from _named("steps", expected.steps, steps)
    for name, expected_value, found in _facts(expected, happened, own):
        if expected_value is not None and expected_value != found:
            yield name, f"{_shown(found)} instead of {_shown(expected_value)}"


def _facts(expected: ExpectedEnd, happened: Happened, own: list[Event]) -> Iterator[tuple[str, Any, Any]]:
    execution = happened.execution
    started = [event for _, event in happened.events if isinstance(event, ExecutionStarted)]
    yield "undone", expected.undone, [event.step for event in own if isinstance(event, CompensationCompleted)]
    yield "timers", expected.timers, [shown for event in own if (shown := _timer(event))]
    yield "alerts", expected.alerts, happened.alerts
    yield "notified", expected.notified, happened.notified
    yield "called", expected.called, dict(Counter(event.process for event in started[1:]))
    if expected.lasts is not None and execution.started_at is not None and execution.ended_at is not None:
        expected_value, found = parse_duration(expected.lasts), execution.ended_at - execution.started_at
        yield "lasts", print_duration(expected_value), print_duration(found)


def _timer(event: Event) -> str | None:
    if isinstance(event, TimerFired):
        return f"{event.step} timer"
    return f"{event.step} deadline" if isinstance(event, ApprovalExpired) else None


def _named(of: str, expected: dict[str, Any], found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, expected_value in expected.items():
        if name not in found:
            yield f"{of}.{name}", f"there is none; there are {', '.join(found) or 'none'}"
        elif found[name] != expected_value:
            yield f"{of}.{name}", f"{_shown(found[name])} instead of {_shown(expected_value)}"


def _shown(value: Any) -> str:
    shown = msgspec.json.encode(value).decode()
    return shown if len(shown) <= 300 else f"{shown[:299]}…"
