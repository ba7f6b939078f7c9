"""The content of an entry, by the type of its event: what an agent is informed of. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec


def content_of(type: str, event: Any) -> Any:
    """Return what an event states, as a JSON value. event: in its class, or as a reader decodes it."""
    return _CONTENTS[type](event)


def _read(value: Any) -> Any:
    """Return a document as a JSON value; readers leave documents as text."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else msgspec.to_builtins(value)


_CONTENTS: dict[str, Callable[[Any], Any]] = {
    "StepCompleted": lambda event: _read(event.output),
    "StepFailed": lambda event: _read(event.error),
    "StepTimedOut": lambda event: {"scope": event.scope},
    "StepSkipped": lambda event: {"reason": event.reason, "comment": event.comment},
    "StepCancelled": lambda event: {"reason": event.reason},
    "ApprovalExpired": lambda event: {"on_deadline": event.on_deadline},
    "ExecutionCompleted": lambda event: _read(event.outputs),
    "ExecutionFailed": lambda event: {"step": event.step, "error": _read(event.error)},
    "ExecutionCancelled": lambda event: {"reason": event.reason},
    "CostAlertRaised": lambda event: {
        "kind": event.kind,
        "level": event.level,
        "amount": str(event.amount),
        "limit": str(event.limit),
        "currency": event.currency,
    },
}
