"""Time as a port: the only source of the present time outside the domain."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The present time and the progress of time; tests and the simulation turn theirs by hand."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some moment in the past; never goes back."""
