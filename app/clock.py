"""The system's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `domain.clock.Clock` with the clock of the operating system."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment in the past."""
        return time.monotonic()


SYSTEM_CLOCK = SystemClock()
