"""The duty of abandoning calls whose attempts ended without an answer, in this process or another."""

from datetime import timedelta

from domain.executions.events.outcomes import ABANDONS_ATTEMPT
from scheduler.batch import Batch
from scheduler.duty import Desk, Duty
from scheduler.lists import Attempt

AT_MOST_EVERY = timedelta(milliseconds=50)


class Abandoning(Duty):
    """Ends open calls whose attempts this worker no longer has; it goes on while the worker stops."""

    word = "gone"
    overlaps = True
    drains = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._next_at = 0.0
        self._alarmed = False

    def wake(self, detail: str = "") -> None:
        """Note that attempts may have been abandoned elsewhere, and set an alarm if it is too early to act."""
        super().wake()
        if not self._alarmed and self.desk.clock.monotonic() < self._next_at:
            self._alarmed = True
            self.desk.alarms.ring_at("gone", self.desk.clock.now() + AT_MOST_EVERY, self._ring)

    @property
    def ready(self) -> bool:
        """Whether attempts may have been abandoned elsewhere; at most twenty times a second."""
        return self._awake and self.desk.clock.monotonic() >= self._next_at

    def work(self) -> None:
        """End the open calls whose attempts this worker does not hold by the list."""
        self._awake = False
        self._next_at = self.desk.clock.monotonic() + AT_MOST_EVERY.total_seconds()
        calling = self.desk.calling
        before = calling.attempts()
        if before:
            calling.cancel(before - self.desk.lists.held_steps(self.desk.worker_id))

    def recorded(self, batch: Batch) -> None:
        """End the calls whose attempts the batch abandoned."""
        self.desk.calling.cancel(abandoned(batch))

    def _ring(self) -> None:
        self._alarmed = False
        self._next_at = 0.0
        self.desk.nudge()


def abandoned(batch: Batch) -> list[Attempt]:
    """Return the attempts that a recorded batch ended without an answer."""
    return [(id, event.step, event.attempt) for id, event in batch.recorded_of(ABANDONS_ATTEMPT)]
