"""Alarms as a port: calls at an instant."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Alarms(Protocol):
    """Calls back at instants, one a name; no alarm survives a restart."""

    def start(self) -> None:
        """Begin to keep time."""

    def ring_at(self, name: str, instant: datetime, ring: Callable[[], None]) -> None:
        """Call `ring` at `instant`, at once if it has passed, in place of an earlier alarm of this `name`."""

    def stop(self) -> None:
        """Ring no more."""
