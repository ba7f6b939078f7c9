"""Waits for the end of an execution: each append wakes it, and the log alone decides."""

import queue
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionEnded,
    ExecutionFailed,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.events.step import (
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepReassigned,
    StepRetried,
    StepRetryScheduled,
    StepScheduled,
    StepSkipped,
    StepTimedOut,
)
from store.listening import LOG_CHANNEL, Listener
from store.log import Log
from store.mapper import Recorded

STEP_ENDED = (StepCompleted, StepSkipped, StepFailed, StepTimedOut, StepCancelled)
STEP_GOES_ON = (StepRetryScheduled, StepRetried, StepReassigned, StepScheduled)
PAGE = 50  # an event may have megabytes
RECHECK_SECONDS = 1.0
# Every append to a busy log would wake the wait; one read in this time is soon enough.
PAUSE_SECONDS = 0.02


class Ended(msgspec.Struct, frozen=True):
    """The end of an execution. status: ``completed``, ``failed`` or ``cancelled``; duration in seconds."""

    status: str
    outputs: dict[str, Any]
    error: dict[str, Any] | None
    duration: float
    position: int


def wait_for_end(
    log: Log, execution_id: UUID, timeout: float | None, progress: Callable[[int, int], None]
) -> Ended | None:
    """Return the end of the execution, None after `timeout` seconds. progress: called with steps done, all steps."""
    woken: queue.SimpleQueue[None] = queue.SimpleQueue()
    listener = Listener(log.datastore, LOG_CHANNEL, lambda _payload: woken.put(None))
    listener.start()
    try:
        return _follow(log, execution_id, timeout, progress, woken)
    finally:
        listener.stop()


def _follow(
    log: Log,
    execution_id: UUID,
    timeout: float | None,
    progress: Callable[[int, int], None],
    woken: "queue.SimpleQueue[None]",
) -> Ended | None:
    deadline = None if timeout is None else time.monotonic() + timeout
    version = steps = 0
    done: set[str] = set()
    ended: Recorded | None = None
    while True:
        page = log.stream_page(execution_id, after=version, limit=PAGE)
        for recorded in page:
            version = recorded.version
            if isinstance(recorded.event, ExecutionStarted):
                steps = recorded.event.steps
            elif isinstance(recorded.event, STEP_ENDED):
                done.add(recorded.event.step)
            elif isinstance(recorded.event, STEP_GOES_ON):
                done.discard(recorded.event.step)
            elif isinstance(recorded.event, ExecutionEnded):
                ended = recorded
            elif isinstance(recorded.event, ExecutionRetried):
                ended = None
        if len(page) == PAGE:
            continue
        if ended is not None:
            return _ended(ended)
        progress(len(done), steps)
        left = RECHECK_SECONDS if deadline is None else min(RECHECK_SECONDS, deadline - time.monotonic())
        if left <= 0:
            return None
        _wait(woken, left)


def _wait(woken: "queue.SimpleQueue[None]", seconds: float) -> None:
    try:
        woken.get(timeout=seconds)
        time.sleep(PAUSE_SECONDS)
        while True:
            woken.get_nowait()
    except queue.Empty:
        return


def _ended(recorded: Recorded) -> Ended:
    event = recorded.event
    duration = (event.at - event.started_at).total_seconds()  # type: ignore[attr-defined]
    match event:
        case ExecutionCompleted():
            return Ended("completed", event.outputs, None, duration, recorded.position)
        case ExecutionFailed():
            error = {"code": event.error.code, "message": event.error.message, "step": event.step}
            return Ended("failed", {}, error, duration, recorded.position)
        case ExecutionCancelled():
            error = {"code": "cancelled", "message": event.reason, "step": None}
            return Ended("cancelled", {}, error, duration, recorded.position)
        case _:
            raise TypeError(f"{type(event).__name__} does not end an execution")
