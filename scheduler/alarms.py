"""Alarms as a port: being called at an instant."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Alarms(Protocol):
    """Calls back at instants, one a name; nothing in it survives a restart."""

    def start(self) -> None:
        """Begin to keep time."""

    def ring_at(self, name: str, instant: datetime, ring: Callable[[], None]) -> None:
        """Call `ring` at `instant`, at once if it has passed, instead of what `name` was set to before."""

    def stop(self) -> None:
        """Ring no more."""
