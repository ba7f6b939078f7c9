"""The clock of tests: it stands until a test sets it."""

from datetime import datetime


class TurnedClock:
    """A clock that a test turns on."""

    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()
