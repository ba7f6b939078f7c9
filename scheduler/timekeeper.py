"""The alarm for the next timer: it rings in time and not before."""

import threading
from collections.abc import Callable
from datetime import datetime

from scheduler.alarms import Alarms


class Timekeeper:
    """Keeps one alarm, for the earliest timer expected. Timers are rows; the timekeeper only rings.

    ring: called when the alarm rings, from the alarm's thread.
    """

    def __init__(self, name: str, alarms: Alarms, ring: Callable[[], None]) -> None:
        self._name = name
        self._alarms = alarms
        self._call = ring
        self._guard = threading.Lock()
        self._alarm: datetime | None = None

    def expect(self, due_at: datetime) -> None:
        """Ring at `due_at` at the latest; callable from any thread."""
        with self._guard:
            if self._alarm is None or due_at < self._alarm:
                self._alarm = due_at
                self._alarms.ring_at(self._name, due_at, self._ring)

    def _ring(self) -> None:
        with self._guard:
            self._alarm = None
        self._call()
