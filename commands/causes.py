"""The event because of which an agent starts an execution, and how deep executions stand because of one another."""

from uuid import UUID

from domain.executions.events.execution import CausingEvent, ExecutionStarted
from domain.refusal import Malformed, Problem
from store.log import Log

EVENT_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[1-9][0-9]{0,8}$"
"""The form of the id of an event: its stream and its number in it."""


def causing_event(log: Log, event_id: str) -> CausingEvent:
    """Return the event with that id, and the depth of an execution that starts because of it. Raises Malformed."""
    stream, _, version = event_id.partition(":")
    id, number = UUID(stream), int(version)
    found = log.stream_page(id, after=number - 1, limit=1)
    if not found or found[0].version != number:
        problem = Problem("unknown_cause", f"there is no event {event_id}", "cause.event_id")
        raise Malformed(problem.message, [problem])
    return CausingEvent(id, number, _depth(log, id) + 1)


def _depth(log: Log, execution: UUID) -> int:
    """Return the number of executions above one, by calls and by causes; 0 for a stream of another noun."""
    started = _started(log, execution)
    if started is None:
        return 0
    root = started if started.parent is None else _started(log, started.parent.root)
    called = 0 if started.parent is None else started.parent.depth
    return called + (0 if root is None or root.because is None else root.because.depth)


def _started(log: Log, execution: UUID) -> ExecutionStarted | None:
    first = log.stream_page(execution, limit=1)
    event = first[0].event if first else None
    return event if isinstance(event, ExecutionStarted) else None
