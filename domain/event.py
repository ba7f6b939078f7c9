"""The fields of every recorded fact: identity, time, and cause."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why and when a decision is made; copied onto every event of that decision.

    at: aware UTC time of the decision. actor: the acting user or component, as ``kind:name`` (``user:ann``,
    ``worker:5f3a``, ``agent:writer``, ``system``). causation: id of the command that caused the events (request id,
    idempotency key, or step attempt). correlation: id that ties related streams together; empty means the stream's own
    id.
    """

    at: datetime
    actor: str
    causation: str = ""
    correlation: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A fact, past tense. The stored name of a subclass is the literal given to `stored`, frozen for ever."""

    at: datetime
    actor: str
    causation: str = ""
    correlation: str = ""


E = TypeVar("E", bound=Event)

_EVENTS: dict[str, type[Event]] = {}


def stored(name: str) -> Callable[[type[E]], type[E]]:
    """Register an event class under `name`, a promise that is never renamed, reused or removed.

    Raises ValueError if another class has the name.
    """

    def register(kind: type[E]) -> type[E]:
        if name in _EVENTS:
            raise ValueError(f"two events are stored as {name}")
        _EVENTS[name] = kind
        return kind

    return register


def stored_events() -> dict[str, type[Event]]:
    """Return every event class registered so far, by its stored name, in alphabetical order; see `domain.catalogue`."""
    return dict(sorted(_EVENTS.items()))


def record(kind: type[E], cause: Cause, /, **facts: Any) -> E:
    """Return an event of `kind` that states `facts`, stamped with time, actor and cause."""
    return kind(at=cause.at, actor=cause.actor, causation=cause.causation, correlation=cause.correlation, **facts)
