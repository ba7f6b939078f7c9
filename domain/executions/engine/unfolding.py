"""A decision under way: its events so far and the resulting state, always in step."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from domain.agents.calls import StepError
from domain.event import Cause, Event
from domain.executions.state.evolution import EVOLVE
from domain.executions.state.model import Execution
from domain.executions.timers import DueTimes, TimerKey, timers_dropped, timers_set
from domain.language.expressions import Budget

# Bytes of JSON that one decision renders: one append records them, and a thousand steps may begin at once.
LARGEST_DECISION = 32 << 20


class Allowance(Protocol):
    """The attempts of each agent that the deciding worker may claim at once, in the append of the decision."""

    def grant(self, agent: str, taken: Callable[[], Sequence[str]]) -> bool:
        """Grant one more attempt of `agent` if the worker may claim it; return whether it may.

        taken: returns the agents of the attempts that the decision takes already.
        """


Take = int | Allowance
"""An allowance, or a number of attempts of whatever agents."""


class AttemptFailed(Exception):
    """Raised when an attempt that has begun cannot go on. The events before stay; the StepFailed is still to come."""

    def __init__(self, error: StepError) -> None:
        super().__init__(error.message)
        self.error = error


class Unfolding:
    """Collects the events of a decision. `execution` is the state after `events`; the initial state stays unchanged.

    take: the attempts that the deciding worker may claim at once, in the same append, of those that become due.
    taken: the steps so claimed, in order.
    """

    __slots__ = ("_budget", "_stamp", "_take", "_timers_before", "cause", "events", "execution", "taken")

    def __init__(self, execution: Execution, cause: Cause, take: Take = 0) -> None:
        self.execution = execution.copy()
        self.cause = cause
        self._take = take
        self.taken: list[str] = []
        self.events: list[Event] = []
        self._budget: Budget | None = None
        self._timers_before = execution.timers
        # All events of an execution tree carry the root's id as their correlation.
        correlation = cause.correlation or ("" if execution.parent is None else str(execution.parent.root))
        self._stamp = cause.at, cause.actor, cause.causation, correlation

    def budget(self) -> Budget:
        """Return the budget that the scopes of the decision share."""
        if self._budget is None:
            self._budget = Budget(LARGEST_DECISION)
        return self._budget

    @property
    def timers_set(self) -> DueTimes:
        """The timers that the decision started or moved."""
        return timers_set(self._timers_before, self.execution.timers)

    @property
    def timers_dropped(self) -> list[TimerKey]:
        """The timers that the decision ended."""
        return timers_dropped(self._timers_before, self.execution.timers)

    def takes(self, step: str, agent: str) -> bool:
        """Claim the attempt of `step` for the deciding worker if it may have one more of `agent`."""
        take = self._take
        if isinstance(take, int):
            if take <= 0:
                return False
            self._take = take - 1
        elif not take.grant(agent, self._agents_taken):
            return False
        self.taken.append(step)
        return True

    def _agents_taken(self) -> list[str]:
        return [self.execution.steps[step].agent for step in self.taken]

    def record(self, kind: type[Event], /, **facts: Any) -> None:
        """Record one more event and evolve the state by it."""
        # domain.event.record and evolve, without a further call: this is the most frequent one.
        at, actor, causation, correlation = self._stamp
        event = kind(at=at, actor=actor, causation=causation, correlation=correlation, **facts)
        self.events.append(event)
        execution = self.execution
        EVOLVE[kind](execution, event)
        execution.version += 1
