"""The duty of trying executions again that were set aside, and for which no row of a list is due."""

from datetime import timedelta

from scheduler.duty import Desk, Duty

EVERY_SECONDS = 5.0
MOST = 100
# The rows of an execution are due at its next try. If none has led to a decision so long after it, there is none.
OVERDUE = timedelta(minutes=1)


class TryingAgain(Duty):
    """Takes back the executions that can be read; the others wait for another try."""

    word = "aside"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._next_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether executions may be overdue; at most every five seconds."""
        return self._awake and self.desk.clock.monotonic() >= self._next_at

    def work(self) -> None:
        """Read the states of overdue executions."""
        self._awake = False
        self._next_at = self.desk.clock.monotonic() + EVERY_SECONDS
        overdue = self.desk.lists.overdue_aside(OVERDUE, MOST)
        if not overdue:
            return
        states = self.desk.states
        states.load(overdue, fresh=True)
        unreadable = dict(states.unreadable)
        for id, error in unreadable.items():
            self.desk.aside.add(id, error)
        back = [id for id in overdue if id not in unreadable and id not in states.left_alone]
        if back:
            self.desk.lists.take_back(back)
            self.desk.aside.recorded(back)
