"""A decision under way: the events so far and the state they lead to, always in step."""

from typing import Any

from domain.event import Cause, Event, record
from domain.executions.execution import Execution, evolve


class Unfolding:
    """Collects what a decision states. `execution` is the state after `events`; the state it began with is left alone.

    take: how many attempts that become due the deciding worker takes at once, in the same append.
    taken: the steps so taken, in order.
    """

    __slots__ = ("cause", "events", "execution", "take", "taken")

    def __init__(self, execution: Execution, cause: Cause, take: int = 0) -> None:
        self.execution = execution.copy()
        self.cause = cause
        self.take = take
        self.taken: list[str] = []
        self.events: list[Event] = []

    def record(self, kind: type[Event], **facts: Any) -> None:
        """State one more event and evolve by it."""
        event = record(kind, self.cause, **facts)
        self.events.append(event)
        evolve(self.execution, event)
