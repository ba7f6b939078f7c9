"""When the next timer is due: wakes whoever fires timers, in time and not before."""

import threading
from collections.abc import Callable
from datetime import datetime

from scheduler.gateway import SchedulerGateway

TIMER = "timer:"


class Timekeeper:
    """Keeps one alarm, for the earliest timer it was told of. Timers are rows; this is only the clock that asks.

    woken: called when the alarm rings, from the clock's thread.
    """

    def __init__(self, woken: Callable[[], None]) -> None:
        self._clock = SchedulerGateway()
        self._woken = woken
        self._guard = threading.Lock()
        self._alarm: datetime | None = None

    def start(self) -> None:
        """Begin to keep time."""
        self._clock.start()

    def stop(self) -> None:
        """Ring no more."""
        self._clock.stop()

    def expect(self, due_at: datetime) -> None:
        """A timer is due then: ring at the latest at that time."""
        with self._guard:
            if self._alarm is None or due_at < self._alarm:
                self._alarm = due_at
                self._clock.ring_at(due_at, self._ring)

    def _ring(self) -> None:
        with self._guard:
            self._alarm = None
        self._woken()
