"""Time as a port: the one way in which code outside the domain asks what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The present time and the progress of time; tests and the simulation turn theirs by hand."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some moment in the past; never goes back."""
