"""What every recorded fact carries, and why it happened."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why and when a decision is taken; copied onto every event of that decision.

    at: aware UTC time of the decision.
    actor: who acts, as ``kind:name`` (``user:ann``, ``worker:5f3a``, ``agent:writer``, ``system``).
    causation: id of the command that caused the events (request id, idempotency key, or step attempt).
    correlation: id that ties related streams together; empty means the stream's own id.
    """

    at: datetime
    actor: str
    causation: str = ""
    correlation: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A fact, past tense. The stored name of a subclass is the literal in ``domain.catalogue``, frozen for ever."""

    at: datetime
    actor: str
    causation: str = ""
    correlation: str = ""


E = TypeVar("E", bound=Event)


def record(kind: type[E], cause: Cause, /, **facts: Any) -> E:
    """An event of `kind` that states `facts`, stamped with when, who and why."""
    return kind(at=cause.at, actor=cause.actor, causation=cause.causation, correlation=cause.correlation, **facts)
