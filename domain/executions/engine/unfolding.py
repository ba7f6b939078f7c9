"""A decision under way: the events so far and the state they lead to, always in step."""

from typing import Any

from domain.event import Cause, Event
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from domain.executions.timers import TimerKey, Timers, timers_dropped, timers_set


class Unfolding:
    """Collects what a decision states. `execution` is the state after `events`; the state it began with is left alone.

    take: how many attempts that become due the deciding worker takes at once, in the same append.
    taken: the steps so taken, in order.
    """

    __slots__ = ("_stamp", "_timers_before", "cause", "events", "execution", "take", "taken")

    def __init__(self, execution: Execution, cause: Cause, take: int = 0) -> None:
        self.execution = execution.copy()
        self.cause = cause
        self.take = take
        self.taken: list[str] = []
        self.events: list[Event] = []
        self._timers_before = execution.timers
        # What happens in a tree of executions is found by its root.
        correlation = cause.correlation or ("" if execution.parent is None else str(execution.parent.root))
        self._stamp = cause.at, cause.actor, cause.causation, correlation

    @property
    def timers_set(self) -> Timers:
        """The timers that the decision started or moved."""
        return timers_set(self._timers_before, self.execution.timers)

    @property
    def timers_dropped(self) -> list[TimerKey]:
        """The timers that the decision ended."""
        return timers_dropped(self._timers_before, self.execution.timers)

    def record(self, kind: type[Event], /, **facts: Any) -> None:
        """State one more event and evolve by it."""
        # As in domain.event.record, but without handing the facts on once more: no call is made more often.
        at, actor, causation, correlation = self._stamp
        event = kind(at=at, actor=actor, causation=causation, correlation=correlation, **facts)
        self.events.append(event)
        evolve(self.execution, event)
