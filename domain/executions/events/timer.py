"""Events of a timer of an execution; each class is stored under its own name for ever."""

from datetime import datetime, timedelta

from domain.event import Event, stored


@stored("TimerStarted")
class TimerStarted(Event, frozen=True, kw_only=True):
    """A timer step was reached and waits until due_at."""

    step: str
    attempt: int
    due_at: datetime


@stored("TimerFired")
class TimerFired(Event, frozen=True, kw_only=True):
    """The time of a timer step has come. lateness: from due_at to the decision, never negative."""

    step: str
    attempt: int
    due_at: datetime
    lateness: timedelta


@stored("TimerCancelled")
class TimerCancelled(Event, frozen=True, kw_only=True):
    """A timer step no longer waits; reason as in StepCancelled, or ``step_timed_out``."""

    step: str
    attempt: int
    reason: str


@stored("TimerMoved")
class TimerMoved(Event, frozen=True, kw_only=True):
    """An operator set another time.

    kind: ``timer``, ``timeout``, ``total_timeout``, ``retry``, ``heartbeat`` or ``deadline``.
    """

    step: str
    kind: str
    due_at: datetime
    reason: str
